#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "shmim/clock.hpp"

namespace shmim::network {

/// How far the clock of the sender is ahead, by the exchange that took the shortest time of the
/// last ones: it says most.
class ClockEstimate {
 public:
  void add(Tai asked, Tai there, Tai now) {
    const auto round_trip = elapsed(asked, now);
    constexpr std::size_t most = 20;
    samples_.insert(samples_.begin(), {round_trip, elapsed(asked, there) - round_trip / 2});
    samples_.resize(std::min(samples_.size(), most));
  }
  void clear() { samples_.clear(); }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> ahead() const {
    const auto best = shortest();
    return best == samples_.end() ? std::nullopt : std::optional(best->ahead);
  }
  /// From asking to the answer.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> delay() const {
    const auto best = shortest();
    return best == samples_.end() ? std::nullopt : std::optional(best->round_trip);
  }

 private:
  struct Sample {
    std::chrono::nanoseconds round_trip;
    std::chrono::nanoseconds ahead;
  };
  [[nodiscard]] std::vector<Sample>::const_iterator shortest() const {
    return std::ranges::min_element(samples_, {}, &Sample::round_trip);
  }
  std::vector<Sample> samples_;
};

}  // namespace shmim::network
