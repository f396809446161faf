#include "network/line.hpp"

#include <algorithm>

namespace shmim::network {

void Line::sent(std::uint64_t number, std::uint64_t bytes, Time now) {
  on_the_way_.push_back({number, bytes, now});
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
  }
  seconds_ += std::chrono::duration<double>(taken).count();
  credited_ = now;
}

std::optional<double> Line::rate() const noexcept {
  return seconds_ > 0 ? std::optional(bytes_ / seconds_) : std::nullopt;
}

}  // namespace shmim::network
