#include <cmath>
#include <complex>
#include <limits>

#include "support/unit.hpp"

using namespace shmim;

namespace {

template <class Element>
Statistics of(const std::vector<Element>& elements, DataType type) {
  return statistics_of(std::as_bytes(std::span(elements)), type);
}

/// 1, 2 and the largest there is.
template <class Element>
void check_integers(DataType type) {
  CAPTURE(to_string(type));
  constexpr Element largest = std::numeric_limits<Element>::max();
  const Statistics result = of(std::vector<Element>{1, 2, largest}, type);
  CHECK(result.elements == 3);
  CHECK(result.min == 1);
  CHECK(result.max == static_cast<double>(largest));
  CHECK(result.mean == doctest::Approx((3 + static_cast<double>(largest)) / 3));
  CHECK(result.saturated == 1);
  CHECK(result.non_finite == 0);
}

}  // namespace

TEST_CASE("statistics of integers of every type") {
  check_integers<std::uint8_t>(DataType::uint8);
  check_integers<std::int8_t>(DataType::int8);
  check_integers<std::uint16_t>(DataType::uint16);
  check_integers<std::int16_t>(DataType::int16);
  check_integers<std::uint32_t>(DataType::uint32);
  check_integers<std::int32_t>(DataType::int32);
  check_integers<std::uint64_t>(DataType::uint64);
  check_integers<std::int64_t>(DataType::int64);
  CHECK(of(std::vector<std::int16_t>{-5, 5}, DataType::int16).min == -5);
  CHECK(of(std::vector<std::uint8_t>{2, 4, 4, 4, 5, 5, 7, 9}, DataType::uint8).stddev == 2);
}

TEST_CASE("numbers that are not finite are counted and left out") {
  const std::vector<float> floats{1, NAN, 3, INFINITY, -INFINITY};
  const Statistics result = of(floats, DataType::float32);
  CHECK(result.p1 == result.min);
  CHECK(result.p99 == result.max);
  CHECK(result.elements == 5);
  CHECK(result.non_finite == 3);
  CHECK(result.min == 1);
  CHECK(result.max == 3);
  CHECK(result.mean == 2);
  CHECK(result.stddev == 1);
  CHECK(result.saturated == 0);
  CHECK(of(std::vector<double>{1, NAN}, DataType::float64).max == 1);
  const std::vector halves{float_to_float16(0.5F), std::uint16_t{0x7C00}};
  CHECK(of(halves, DataType::float16).max == 0.5);
  CHECK(of(halves, DataType::float16).non_finite == 1);
  CHECK(std::isnan(of(std::vector<float>{NAN}, DataType::float32).mean));
}

TEST_CASE("of complex numbers it is the modulus") {
  CHECK(of(std::vector<std::complex<float>>{{3, 4}, {0, 1}}, DataType::complex64).max == 5);
  CHECK(of(std::vector<std::complex<double>>{{3, 4}, {0, 1}}, DataType::complex128).mean == 3);
  CHECK(of(std::vector<std::complex<float>>{{NAN, 0}}, DataType::complex64).non_finite == 1);
}

TEST_CASE("a large mean does not swallow the standard deviation") {
  CHECK(of(std::vector<double>{1e9 + 1, 1e9 - 1}, DataType::float64).stddev == 1);
}

TEST_CASE("values of every element as doubles") {
  const std::vector<std::int16_t> elements{-1, 0, 7};
  CHECK(values_of(std::as_bytes(std::span(elements)), DataType::int16) ==
        std::vector<double>{-1, 0, 7});
}

TEST_CASE("percentiles are values that there are") {
  const std::vector<double> sorted{1, 2, 3, 4};
  CHECK(percentile(sorted, 0) == 1);
  CHECK(percentile(sorted, 25) == 1);
  CHECK(percentile(sorted, 26) == 2);
  CHECK(percentile(sorted, 50) == 2);
  CHECK(percentile(sorted, 100) == 4);
  CHECK(std::isnan(percentile({}, 50)));
}
