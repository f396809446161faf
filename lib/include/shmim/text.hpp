#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "shmim/export.hpp"

namespace shmim {

/// Text of unknown origin made safe for a terminal: control characters (C1 and those that turn the
/// direction of text among them) and what is not UTF-8 become `\xNN`, byte by byte.
[[nodiscard]] SHMIM_EXPORT std::string printable(std::string_view text);

/// True where all of it is UTF-8.
[[nodiscard]] SHMIM_EXPORT bool is_utf8(std::string_view text) noexcept;

/// A text that is a number from its beginning to its end, and fits the type; else nullopt. No
/// blanks, no leading +. Integers are decimal unless another base is given; others may have an
/// exponent.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text, int base = 10) noexcept {
  Number number{};
  const char* end = text.data() + text.size();
  std::from_chars_result result{};
  if constexpr (std::is_integral_v<Number>) {
    result = std::from_chars(text.data(), end, number, base);
  } else {
    result = std::from_chars(text.data(), end, number);
  }
  return result.ec == std::errc{} && result.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace shmim
