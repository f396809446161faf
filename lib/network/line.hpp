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
  /// Frames are of another size from now on.
  void forget_delay() noexcept { alone_.reset(); }

  /// Bytes in a second, while any were on their way; nullopt while none have come there.
  [[nodiscard]] std::optional<double> rate() const noexcept;
  /// Whether another may be sent, so that the line is never idle and none is old when it arrives:
  /// as many as it holds by its length are on their way, one that goes out, and one that waits for
  /// that.
  [[nodiscard]] bool has_room(Time now) const noexcept;

 private:
  struct Sent {
    std::uint64_t number;
    std::uint64_t bytes;
    Time when;
    std::uint64_t on_the_way;  ///< with it, when it was sent
  };
  void adapt(const Sent& frame, Time now);
  std::deque<Sent> on_the_way_;
  Time credited_;       ///< last
  double bytes_ = 0;    ///< of the last ones that have come there, the older the less
  double seconds_ = 0;  ///< in which they did
  std::uint64_t window_ = 2;
  bool has_waited_ = false;    ///< more were sent than it holds: from then on it is felt for
  std::uint64_t adapted_ = 0;  ///< the last that was sent when the window was judged
  std::uint64_t last_ = 0;     ///< that was sent
  std::uint64_t seen_ = 0;     ///< that have come since, of those that filled the window
  std::chrono::duration<double> quickest_{};  ///< of these
  /// From sending to credit of one that had the line for itself; unknown at first, and when it is
  /// to be measured anew.
  std::optional<std::chrono::duration<double>> alone_;
  Time measure_anew_;
};

}  // namespace shmim::network
