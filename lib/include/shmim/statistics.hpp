#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// What a frame's elements are like. Of complex types it is the modulus; numbers that are not
/// finite are counted and left out; where none is finite, what is said of them is NaN.
/// (64-bit integers beyond 2^53 are rounded to double.)
struct Statistics {
  std::uint64_t elements = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double stddev = 0;             ///< of the elements, not of a sample of them
  double p1 = 0;                 ///< a hundredth of the elements is not above it
  double p50 = 0;                ///< the median
  double p99 = 0;                ///< a hundredth is above it
  std::uint64_t saturated = 0;   ///< integers at the largest value of their type
  std::uint64_t non_finite = 0;  ///< NaN and infinities
};

/// Of `frame`, whose elements are of that type; a copy, not a live array.
[[nodiscard]] SHMIM_EXPORT Statistics statistics_of(std::span<const std::byte> frame,
                                                    DataType type);

/// Every element as a double; of complex types the modulus.
[[nodiscard]] SHMIM_EXPORT std::vector<double> values_of(std::span<const std::byte> frame,
                                                         DataType type);

/// The smallest of `sorted` values that at least `percent` of all are not above; NaN where there is
/// none.
[[nodiscard]] SHMIM_EXPORT double percentile(std::span<const double> sorted,
                                             double percent) noexcept;

}  // namespace shmim
