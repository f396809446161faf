#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// A place in a file of frames: a cnt0, a date, or so long after the start.
using Place = std::variant<std::uint64_t, Tai, std::chrono::nanoseconds>;

/// Reads `4711`, `2026-11-22T01:52:49.5Z`, or `+2.5s`. Throws UsageError, naming the option.
[[nodiscard]] Place parse_place(const std::string& option, const std::string& text);

}  // namespace shmim::tools
