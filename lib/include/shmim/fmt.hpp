#pragma once

// How {fmt} prints what this library has, for programs that use both: the library's other headers
// do not need it. Width, fill and alignment are as of a string: `fmt::format("{:<12}",
// stream.format().type)`.

#include <string_view>

#include <fmt/format.h>

#include "shmim/clock.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"

/// In UTC, as shmim::to_utc() writes it.
template <>
struct fmt::formatter<shmim::Tai> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(shmim::Tai time, Context& context) const {
    return fmt::formatter<std::string_view>::format(shmim::to_utc(time), context);
  }
};

/// `uint16`
template <>
struct fmt::formatter<shmim::DataType> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(shmim::DataType type, Context& context) const {
    return fmt::formatter<std::string_view>::format(shmim::to_string(type), context);
  }
};

/// `320x256`
template <>
struct fmt::formatter<shmim::Shape> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const shmim::Shape& shape, Context& context) const {
    return fmt::formatter<std::string_view>::format(shmim::to_string(shape), context);
  }
};

/// Its value, as shmim::to_string() writes it.
template <>
struct fmt::formatter<shmim::Keyword> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const shmim::Keyword& keyword, Context& context) const {
    return fmt::formatter<std::string_view>::format(shmim::to_string(keyword), context);
  }
};
