#pragma once

#include <algorithm>
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
  /// When there may be room although no credit comes.
  [[nodiscard]] Time next() const noexcept { return next_; }

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
  /// The line was empty when that one had it for itself: it is filled as fast as it takes frames,
  /// since those that were sent at once would wait for one another.
  std::optional<std::uint64_t> filled_from_;
  Time next_;  ///< may be sent then, as long as it is being filled
};

inline void Line::sent(std::uint64_t number, std::uint64_t bytes, Time now) {
  on_the_way_.push_back({number, bytes, now, on_the_way_.size() + 1});
  last_ = number;
  next_ = now;
  if (const auto per_second = rate()) {
    const std::chrono::duration<double> going_out(static_cast<double>(bytes) / *per_second);
    constexpr std::chrono::seconds longest{1};
    next_ +=
        std::min<Time::duration>(std::chrono::duration_cast<Time::duration>(going_out), longest);
  }
}

inline void Line::credited(std::uint64_t number, Time now, std::chrono::nanoseconds delay) {
  if (on_the_way_.empty() || on_the_way_.front().number > number) {
    return;
  }
  // The line was this one's from when the one before had gone through, as its credit says, which
  // took as long as that of this one; or, where it was free, from when it was sent.
  const bool was_free = on_the_way_.front().when >= credited_;
  constexpr std::chrono::nanoseconds least{1000};
  const auto taken = std::max<std::chrono::nanoseconds>(
      was_free ? now - on_the_way_.front().when - delay : now - credited_, least);
  constexpr double remembered = 0.8;
  bytes_ *= remembered;
  seconds_ *= remembered;
  for (; !on_the_way_.empty() && on_the_way_.front().number <= number; on_the_way_.pop_front()) {
    bytes_ += static_cast<double>(on_the_way_.front().bytes);
    adapt(on_the_way_.front(), now);
  }
  seconds_ += std::chrono::duration<double>(taken).count();
  credited_ = now;
}

inline void Line::adapt(const Sent& frame, Time now) {
  const std::chrono::duration<double> taken = now - frame.when;
  if (filled_from_ && frame.number > *filled_from_) {
    filled_from_.reset();
  }
  if (frame.on_the_way == 1) {
    // It may change, and is known only of a frame that nothing was before: now and then one is to
    // have the line for itself.
    constexpr Time::duration often = std::chrono::seconds{5};
    constexpr int hardly_felt = 50;
    filled_from_ = frame.number;
    if (!alone_ || now >= measure_anew_) {
      alone_ = taken;
      measure_anew_ = now + std::max(often, hardly_felt * (now - frame.when));
    }
    alone_ = std::min(*alone_, taken);
    return;
  }
  // What follows from a change is known when those have come that were sent after it; and of each,
  // what took longer than the quickest is not the line's.
  if (!alone_ || frame.number <= adapted_ || frame.on_the_way < window_) {
    return;
  }
  quickest_ = seen_ == 0 ? taken : std::min(quickest_, taken);
  if (++seen_ < window_) {
    return;
  }
  const auto all = static_cast<double>(window_);
  const double held = all * (*alone_ / quickest_);  // the others had to wait
  constexpr double none_waits = 0.5;
  constexpr double two_wait = 1.5;
  constexpr std::uint64_t least = 2;
  constexpr std::uint64_t most = 64;
  if (all - held < none_waits) {
    window_ = has_waited_ ? window_ + 1 : 2 * window_;
  } else if (all - held > two_wait) {
    has_waited_ = true;
    window_ = static_cast<std::uint64_t>(held) + 1;
  }
  window_ = std::clamp(window_, least, most);
  adapted_ = last_;
  seen_ = 0;
}

inline std::optional<double> Line::rate() const noexcept {
  return seconds_ > 0 ? std::optional(bytes_ / seconds_) : std::nullopt;
}

inline bool Line::has_room(Time now) const noexcept {
  const bool is_to_be_alone = !alone_ || now >= measure_anew_;
  if (is_to_be_alone && !on_the_way_.empty()) {
    return false;
  }
  constexpr std::size_t at_once = 2;
  const bool is_too_early = filled_from_ && on_the_way_.size() >= at_once && now < next_;
  return on_the_way_.size() < window_ && !is_too_early;
}

}  // namespace shmim::network
