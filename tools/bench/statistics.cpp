#include "bench/statistics.hpp"

#include <algorithm>

#include <shmim/statistics.hpp>

namespace shmim::tools::bench {

double percentile(std::vector<double> samples, double percent) {
  std::sort(samples.begin(), samples.end());
  return shmim::percentile(samples, percent);
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
  summary.p50 = shmim::percentile(all, 50);
  summary.p90 = shmim::percentile(all, 90);
  summary.p99 = shmim::percentile(all, 99);
  summary.p999 = shmim::percentile(all, 99.9);
  summary.max = shmim::percentile(all, 100);
  if (const double middle = shmim::percentile(medians, 50); middle > 0) {
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
