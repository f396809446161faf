#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "diff/differences.hpp"

namespace shmim::tools {

/// Numbers of frames that follow upon one another, both ends included.
struct FrameRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// What two sequences of frames differ in.
struct SequenceDifferences {
  bool are_by_cnt0 = false;  ///< which frame goes with which; else by their place, from 0
  std::uint64_t compared = 0;
  std::uint64_t differing = 0;  ///< of those
  std::vector<FrameRange> only_in_a;
  std::vector<FrameRange> only_in_b;
  /// The first few that differ, by their number.
  std::vector<std::pair<std::uint64_t, FrameDifferences>> first;

  [[nodiscard]] bool is_same() const noexcept {
    return differing == 0 && only_in_a.empty() && only_in_b.empty();
  }
};

/// Compares two sequences frame by frame, by cnt0 where both tell it. One of them may begin later,
/// or have gaps; where its cnt0 goes back, a new count begins, and that of the other is waited for.
/// Calls compare(a, b) for each pair. Throws Error, Interrupted.
using CompareFrames = std::function<FrameDifferences(const SideFrame& a, const SideFrame& b)>;
[[nodiscard]] SequenceDifferences compare_sequences(Side& a, Side& b, const CompareFrames& compare);

/// What they are called is `name_of_a` and `name_of_b`. Nothing where they are the same.
[[nodiscard]] std::string to_text(const SequenceDifferences& differences,
                                  const std::string& name_of_a, const std::string& name_of_b);
[[nodiscard]] Record to_json(const SequenceDifferences& differences);

}  // namespace shmim::tools
