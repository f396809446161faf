#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace shmim::network {

/// What is known of the way to a receiver, by when frames were sent and when their credit came.
class Line {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Frames are numbered from 1 on.
  void sent(std::uint64_t number, std::uint64_t bytes, Time now);
  /// All up to that one have come there. `delay` is what a message takes there and back that is of
  /// no bytes to speak of.
  void credited(std::uint64_t number, Time now, std::chrono::nanoseconds delay);

  /// Bytes in a second, while any were on their way; nullopt while none have come there.
  [[nodiscard]] std::optional<double> rate() const noexcept;

 private:
  struct Sent {
    std::uint64_t number;
    std::uint64_t bytes;
    Time when;
  };
  std::deque<Sent> on_the_way_;
  Time credited_;       ///< last
  double bytes_ = 0;    ///< of the last ones that have come there, the older the less
  double seconds_ = 0;  ///< in which they did
};

}  // namespace shmim::network
