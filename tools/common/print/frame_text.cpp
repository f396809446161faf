#include "common/print/frame_text.hpp"

#include <charconv>
#include <cmath>
#include <complex>
#include <cstring>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "common/io/exit.hpp"

namespace shmim::tools {
namespace {

/// IEEE 754 binary16, as the bits that the array holds.
struct Float16 {
  std::uint16_t bits;
};

template <class Visit>
auto with_type(DataType type, const Visit& visit) {
  switch (type) {
    case DataType::uint8:
      return visit(std::uint8_t{});
    case DataType::int8:
      return visit(std::int8_t{});
    case DataType::uint16:
      return visit(std::uint16_t{});
    case DataType::int16:
      return visit(std::int16_t{});
    case DataType::uint32:
      return visit(std::uint32_t{});
    case DataType::int32:
      return visit(std::int32_t{});
    case DataType::uint64:
      return visit(std::uint64_t{});
    case DataType::int64:
      return visit(std::int64_t{});
    case DataType::float32:
      return visit(float{});
    case DataType::float64:
      return visit(double{});
    case DataType::complex64:
      return visit(std::complex<float>{});
    case DataType::complex128:
      return visit(std::complex<double>{});
    case DataType::float16:
      return visit(Float16{});
  }
  throw Error(Problem::bad_header, "", "an unknown data type");
}

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
std::optional<T> parse(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

template <class T>
std::optional<T> element_from(const std::string& text, T) {
  return parse<T>(text);
}

template <class T>
std::optional<std::complex<T>> element_from(const std::string& text, std::complex<T>) {
  const auto real = parse<T>(text);
  return real ? std::optional(std::complex<T>(*real)) : std::nullopt;
}

std::optional<Float16> element_from(const std::string& text, Float16) {
  const auto number = parse<float>(text);
  const Float16 value{float_to_float16(number.value_or(0))};
  const bool fits = number && std::isfinite(*number) == std::isfinite(float16_to_float(value.bits));
  return fits ? std::optional(value) : std::nullopt;
}

std::string_view npy_type(DataType type) noexcept {
  switch (type) {
    case DataType::uint8:
      return "|u1";
    case DataType::int8:
      return "|i1";
    case DataType::uint16:
      return "<u2";
    case DataType::int16:
      return "<i2";
    case DataType::uint32:
      return "<u4";
    case DataType::int32:
      return "<i4";
    case DataType::uint64:
      return "<u8";
    case DataType::int64:
      return "<i8";
    case DataType::float32:
      return "<f4";
    case DataType::float64:
      return "<f8";
    case DataType::complex64:
      return "<c8";
    case DataType::complex128:
      return "<c16";
    case DataType::float16:
      return "<f2";
  }
  return "";
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
  with_type(type, [&](auto zero) {
    using T = decltype(zero);
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
  with_type(type, [&](auto zero) {
    const auto value = element_from(text, zero);
    if (!value) {
      throw UsageError(fmt::format("--fill: '{}' is no {}", text, to_string(type)));
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
