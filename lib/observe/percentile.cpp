#include <algorithm>
#include <limits>

#include "shmim/statistics.hpp"

namespace shmim {

double percentile(std::span<const double> sorted, double percent) noexcept {
  if (sorted.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double wanted = static_cast<double>(sorted.size()) * percent / 100;
  auto rank = static_cast<std::size_t>(wanted);  // rounded up below: the nearest rank, from 1 on
  rank += static_cast<double>(rank) < wanted ? 1 : 0;
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace shmim
