#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "common/app/patience.hpp"

namespace shmim::tools {

/// How `shmim-info --stats --follow` goes on.
struct StatisticsLines {
  std::optional<std::chrono::nanoseconds> interval;  ///< the newest frame of each, and not every
  std::optional<std::uint64_t> count;                ///< lines
  bool csv = false;
};

/// Prints a line of statistics for the frames of the stream that `wanted` names, or of its slice of
/// them, until one of the ends that `patience` and `lines` have: see Patience::end().
void print_statistics_lines(const Context& context, const Reference& wanted,
                            const StatisticsLines& lines, Patience& patience);

}  // namespace shmim::tools
