#include "network/line.hpp"

#include <algorithm>

namespace shmim::network {

void Line::sent(std::uint64_t number, std::uint64_t bytes, Time now) {
  on_the_way_.push_back({number, bytes, now, on_the_way_.size() + 1});
  last_ = number;
}

void Line::credited(std::uint64_t number, Time now, std::chrono::nanoseconds delay) {
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

void Line::adapt(const Sent& frame, Time now) {
  const std::chrono::duration<double> taken = now - frame.when;
  if (frame.on_the_way == 1) {
    // It may change, and is known only of a frame that nothing was before: now and then one is to
    // have the line for itself.
    constexpr std::chrono::seconds between_measures{5};
    if (!alone_ || now >= measure_anew_) {
      alone_ = taken;
      measure_anew_ = now + between_measures;
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

std::optional<double> Line::rate() const noexcept {
  return seconds_ > 0 ? std::optional(bytes_ / seconds_) : std::nullopt;
}

bool Line::has_room(Time now) const noexcept {
  const bool is_to_be_alone = !alone_ || now >= measure_anew_;
  return is_to_be_alone && !on_the_way_.empty() ? false : on_the_way_.size() < window_;
}

}  // namespace shmim::network
