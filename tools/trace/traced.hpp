#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

/// A stream's trace, as it is shown.
struct Traced {
  std::string name;
  ProcessTable processes;  ///< where the stream is
  std::vector<Hop> hops;   ///< newest first
  /// What the trace does not tell of the newest frame; empty if it is of that frame.
  std::string untraced;
  std::optional<std::chrono::nanoseconds> total;
};

/// Of a frame that `writer` has written and no trace tells of; `is_empty` where there is none at
/// all.
[[nodiscard]] std::string untraced_in_words(std::uint64_t cnt0, const Process& writer,
                                            bool is_empty);
/// One hop, for --json.
[[nodiscard]] Record record_of(Traced& traced, const Hop& hop);
/// All hops, a line each, for people.
[[nodiscard]] std::string table_of(Traced& traced);

}  // namespace shmim::tools
