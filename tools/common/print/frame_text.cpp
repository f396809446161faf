#include "common/print/frame_text.hpp"

#include <charconv>
#include <cmath>
#include <complex>
#include <cstring>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <shmim/element.hpp>
#include <shmim/text.hpp>

#include "common/io/exit.hpp"

namespace shmim::tools {
namespace {

template <class T>
T element_at(std::span<const std::byte> frame, std::size_t index) noexcept {
  T value{};
  std::memcpy(&value, &frame[index * sizeof(T)], sizeof(T));
  return value;
}

using Text = std::back_insert_iterator<std::string>;

template <class T>
void append(Text out, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) {
      value = std::numeric_limits<T>::quiet_NaN();  // whose sign means nothing, and is not printed
    }
  }
  fmt::format_to(out, "{}", value);
}

template <class T>
void append(Text out, std::complex<T> value) {
  fmt::format_to(out, "{}{:+}j", value.real(), value.imag());
}

void append(Text out, Float16 value) {
  const float number = float16_to_float(value.bits);
  // The shortest text that reads back as the same bits; five digits always do.
  for (int digits = 1; digits <= 5; ++digits) {
    const std::string text = fmt::format("{:.{}g}", number, digits);
    float back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    if (digits == 5 || float_to_float16(back) == value.bits) {
      append(out, std::isfinite(number) ? back : number);
      return;
    }
  }
}

template <class T>
std::optional<T> element_from(const std::string& text, T) {
  return parse_number<T>(text);
}

template <class T>
std::optional<std::complex<T>> element_from(const std::string& text, std::complex<T>) {
  const auto real = parse_number<T>(text);
  return real ? std::optional(std::complex<T>(*real)) : std::nullopt;
}

std::optional<Float16> element_from(const std::string& text, Float16) {
  const auto number = parse_number<float>(text);
  const Float16 value{float_to_float16(number.value_or(0))};
  const bool fits = number && std::isfinite(*number) == std::isfinite(float16_to_float(value.bits));
  return fits ? std::optional(value) : std::nullopt;
}

/// `<u2`, as NumPy writes a type.
std::string npy_type(DataType type) {
  return visit(type, []<class T>(std::type_identity<T>) {
    const char kind = std::is_unsigned_v<T>                                       ? 'u'
                      : std::is_integral_v<T>                                     ? 'i'
                      : std::is_floating_point_v<T> || std::is_same_v<T, Float16> ? 'f'
                                                                                  : 'c';
    return fmt::format("{}{}{}", sizeof(T) == 1 ? '|' : '<', kind, sizeof(T));
  });
}

}  // namespace

std::string to_text(std::span<const std::byte> frame, DataType type, const Shape& shape) {
  std::string text;
  to_text(frame, type, shape, [&](std::string_view part) { text += part; });
  return text;
}

void to_text(std::span<const std::byte> frame, DataType type, const Shape& shape,
             const std::function<void(std::string_view)>& write) {
  constexpr std::size_t piece = std::size_t{64} << 10;
  const std::size_t columns = shape[0];
  const std::size_t rows = shape.axes() > 1 ? shape[1] : 1;
  const std::size_t elements = shape.elements();
  std::string text;
  visit(type, [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < elements; ++i) {
      if (i > 0 && i % (columns * rows) == 0) {
        text += '\n';
      }
      append(std::back_inserter(text), element_at<T>(frame, i));
      text += (i + 1) % columns == 0 ? '\n' : ' ';
      if (text.size() >= piece) {
        write(text);
        text.clear();
      }
    }
  });
  write(text);
}

void fill_with(std::span<std::byte> frame, DataType type, const std::string& text) {
  visit(type, [&]<class T>(std::type_identity<T>) {
    const auto value = element_from(text, T{});
    if (!value) {
      throw UsageError(fmt::format("--fill: '{}' does not fit {}", text, to_string(type)));
    }
    for (std::size_t offset = 0; offset < frame.size(); offset += sizeof(*value)) {
      std::memcpy(&frame[offset], &*value, sizeof(*value));
    }
  });
}

std::string npy_header(DataType type, const Shape& shape) {
  std::string axes;
  for (std::size_t axis = shape.axes(); axis > 0; --axis) {
    axes += fmt::format("{}{}", shape[axis - 1], axis > 1 ? ", " : shape.axes() == 1 ? "," : "");
  }
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                       npy_type(type), axes);
  constexpr std::size_t before = 10;  // magic, version and the length itself
  dictionary.resize((before + dictionary.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace shmim::tools
