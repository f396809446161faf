#pragma once

#include <chrono>
#include <thread>

#include "shmim/clock.hpp"

namespace shmim {

/// Waiting for another process to finish what takes microseconds, without a signal from it: spins
/// for a millisecond, then yields, and after ten sleeps between looks.
class Backoff {
 public:
  explicit Backoff(Deadline deadline, std::chrono::steady_clock::time_point begin =
                                          std::chrono::steady_clock::now()) noexcept
      : deadline_(deadline), begin_(begin) {}

  /// False once the deadline has passed.
  [[nodiscard]] bool pause() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (deadline_ && now >= *deadline_) {
      return false;
    }
    if (now - begin_ < std::chrono::milliseconds{1}) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    } else if (!is_slow()) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds{50});
    }
    return true;
  }

  /// True once it is taking longer than a writer at work would: time to look whether one is.
  [[nodiscard]] bool is_slow() const noexcept {
    return std::chrono::steady_clock::now() - begin_ > std::chrono::milliseconds{10};
  }

 private:
  Deadline deadline_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace shmim
