#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace shmim::tools {

/// How long something took, of any number of times, to 2 %.
class Spread {
 public:
  void add(std::chrono::nanoseconds duration) noexcept;
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// What so many percent were not above.
  [[nodiscard]] std::chrono::nanoseconds percentile(double percent) const noexcept;
  [[nodiscard]] std::chrono::nanoseconds max() const noexcept { return max_; }
  /// `p50 1.05ms, p99 1.3ms, max 2ms`.
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t parts = 64;  ///< of each power of two
  static constexpr std::size_t powers = 58;
  std::array<std::uint64_t, powers * parts> counts_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

}  // namespace shmim::tools
