#pragma once

// What is made of samples: percentiles, the spread between runs, and the ratio to a floor that was
// sampled in the same runs.

#include <cstddef>
#include <vector>

namespace shmim::tools::bench {

/// What one contender took, a vector of samples for each run.
using Runs = std::vector<std::vector<double>>;

/// The smallest sample that at least `percent` of all are not above, whatever their order. NaN
/// where there is none.
double percentile(std::vector<double> samples, double percent);

struct Summary {
  std::size_t runs = 0;
  std::size_t samples = 0;  ///< of all runs together, as are the percentiles
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  /// Between the lowest and the highest median of a run, as a fraction of the median of them.
  double spread = 0;
};
Summary summarise(const Runs& runs);

/// The median, over the runs, of a run's percentile by that of the floor in the same run: what a
/// busy machine does to one run it does to both.
double ratio(const Runs& runs, const Runs& floor, double percent);

}  // namespace shmim::tools::bench
