#include "common/print/spread.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "common/print/words.hpp"

namespace shmim::tools {

void Spread::add(std::chrono::nanoseconds duration) noexcept {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  // Up to 64 each number has a place of its own; above, 64 share each power of two.
  const auto shift =
      static_cast<unsigned>(std::max(static_cast<int>(std::bit_width(nanoseconds)) - 7, 0));
  ++counts_[std::min<std::size_t>(shift * parts + (nanoseconds >> shift), counts_.size() - 1)];
  ++count_;
  max_ = std::max(max_, duration);
}

std::chrono::nanoseconds Spread::percentile(double percent) const noexcept {
  const auto wanted = static_cast<double>(count_) * percent / 100;
  std::uint64_t below = 0;
  for (std::size_t place = 0; place < counts_.size(); ++place) {
    below += counts_[place];
    if (below > 0 && static_cast<double>(below) >= wanted) {
      const std::size_t shift = place < 2 * parts ? 0 : place / parts - 1;
      const auto value = static_cast<std::int64_t>((place - shift * parts) << shift);
      return std::min(std::chrono::nanoseconds{value}, max_);
    }
  }
  return max_;
}

std::string Spread::text() const {
  return fmt::format("p50 {}, p99 {}, max {}", in_words(Seconds(percentile(50))),
                     in_words(Seconds(percentile(99))), in_words(Seconds(max())));
}

}  // namespace shmim::tools
