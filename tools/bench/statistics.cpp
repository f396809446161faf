#include "bench/statistics.hpp"

#include <algorithm>
#include <limits>

namespace shmim::tools::bench {
namespace {

double at_percent(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double wanted = static_cast<double>(sorted.size()) * percent / 100;
  auto rank = static_cast<std::size_t>(wanted);  // rounded up below: the nearest rank, from 1 on
  rank += static_cast<double>(rank) < wanted ? 1 : 0;
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

double percentile(std::vector<double> samples, double percent) {
  std::sort(samples.begin(), samples.end());
  return at_percent(samples, percent);
}

Summary summarise(const Runs& runs) {
  std::vector<double> all;
  std::vector<double> medians;
  for (const std::vector<double>& run : runs) {
    all.insert(all.end(), run.begin(), run.end());
    medians.push_back(percentile(run, 50));
  }
  std::sort(all.begin(), all.end());
  std::sort(medians.begin(), medians.end());
  Summary summary;
  summary.runs = runs.size();
  summary.samples = all.size();
  summary.p50 = at_percent(all, 50);
  summary.p90 = at_percent(all, 90);
  summary.p99 = at_percent(all, 99);
  summary.p999 = at_percent(all, 99.9);
  summary.max = at_percent(all, 100);
  if (const double middle = at_percent(medians, 50); middle > 0) {
    summary.spread = (medians.back() - medians.front()) / middle;
  }
  return summary;
}

double ratio(const Runs& runs, const Runs& floor, double percent) {
  std::vector<double> ratios;
  for (std::size_t run = 0; run < std::min(runs.size(), floor.size()); ++run) {
    ratios.push_back(percentile(runs[run], percent) / percentile(floor[run], percent));
  }
  return percentile(std::move(ratios), 50);
}

}  // namespace shmim::tools::bench
