#include "common/print/frame_text.hpp"

#include <charconv>
#include <cmath>
#include <complex>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

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

/// Numbers as people write them: a sign of + is one too.
template <class T>
std::optional<T> number_from(std::string_view text) {
  const bool has_plus = text.size() > 1 && text.front() == '+' && text[1] != '-';
  return parse_number<T>(text.substr(has_plus ? 1 : 0));
}

template <class T>
std::optional<T> element_from(std::string_view text, T) {
  const auto number = number_from<T>(text);
  if constexpr (std::is_integral_v<T>) {
    // `3e4` and `3.0` are whole numbers too; beyond 2^53 a double is not sure of that.
    constexpr double largest = 0x1p53;
    const double real = number ? 0 : number_from<double>(text).value_or(0.5);
    if (!number && -largest < real && real < largest) {
      const auto whole = static_cast<std::int64_t>(real);
      const bool is_whole = static_cast<double>(whole) == real;
      return is_whole && std::in_range<T>(whole) ? std::optional(static_cast<T>(whole))
                                                 : std::nullopt;
    }
  }
  return number;
}

/// `1+2j`; a real number alone is one too.
template <class T>
std::optional<std::complex<T>> element_from(std::string_view text, std::complex<T>) {
  if (!text.ends_with('j')) {
    const auto real = number_from<T>(text);
    return real ? std::optional(std::complex<T>(*real)) : std::nullopt;
  }
  text.remove_suffix(1);
  // The sign between the parts, and not one of an exponent.
  std::size_t sign = text.find_last_of("+-");
  while (sign != text.npos && sign > 0 && (text[sign - 1] == 'e' || text[sign - 1] == 'E')) {
    sign = text.find_last_of("+-", sign - 1);
  }
  const std::size_t parted = sign == text.npos ? 0 : sign;
  const auto real = parted == 0 ? std::optional(T{}) : number_from<T>(text.substr(0, parted));
  const auto imaginary = number_from<T>(text.substr(parted));
  return real && imaginary ? std::optional(std::complex<T>(*real, *imaginary)) : std::nullopt;
}

std::optional<Float16> element_from(std::string_view text, Float16) {
  const auto number = number_from<float>(text);
  const Float16 value{float_to_float16(number.value_or(0))};
  const bool fits = number && std::isfinite(*number) == std::isfinite(float16_to_float(value.bits));
  return fits ? std::optional(value) : std::nullopt;
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
  const std::size_t size = element_size(type);
  for (std::size_t offset = 0; offset < frame.size(); offset += size) {
    if (offset > 0) {
      std::memcpy(&frame[offset], frame.data(), size);
    } else if (!read_element(text, type, frame.first(size))) {
      throw UsageError(fmt::format("--fill: '{}' does not fit {}", text, to_string(type)));
    }
  }
}

bool read_element(std::string_view text, DataType type, std::span<std::byte> element) {
  return visit(type, [&]<class T>(std::type_identity<T>) {
    const auto value = element_from(text, T{});
    if (value) {
      std::memcpy(element.data(), &*value, sizeof(T));
    }
    return value.has_value();
  });
}

}  // namespace shmim::tools
