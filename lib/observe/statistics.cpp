#include "shmim/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "shmim/element.hpp"
#include "shmim/float16.hpp"

namespace shmim {
namespace {

double value_of(Float16 element) noexcept { return float16_to_float(element.bits); }
template <class Real>
double value_of(std::complex<Real> element) noexcept {
  return std::hypot(static_cast<double>(element.real()), static_cast<double>(element.imag()));
}
template <class Number>
double value_of(Number element) noexcept {
  return static_cast<double>(element);
}

template <class Element>
bool is_saturated(Element element) noexcept {
  if constexpr (std::is_integral_v<Element>) {
    return element == std::numeric_limits<Element>::max();
  } else {
    return false;
  }
}

/// Calls look(element) for each, in its own type.
template <class Look>
void for_each_element(std::span<const std::byte> frame, DataType type, const Look& look) {
  visit(type, [&]<class Element>(std::type_identity<Element>) {
    for (std::size_t at = 0; at + sizeof(Element) <= frame.size(); at += sizeof(Element)) {
      Element element{};
      std::memcpy(&element, &frame[at], sizeof(Element));
      look(element);
    }
  });
}

}  // namespace

Statistics statistics_of(std::span<const std::byte> frame, DataType type) {
  Statistics result;
  double sum = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  for_each_element(frame, type, [&](auto element) {
    ++result.elements;
    const double value = value_of(element);
    if (!std::isfinite(value)) {
      ++result.non_finite;
      return;
    }
    result.saturated += is_saturated(element) ? 1 : 0;
    min = std::min(min, value);
    max = std::max(max, value);
    sum += value;
  });
  const auto finite = static_cast<double>(result.elements - result.non_finite);
  if (finite == 0) {
    result.min = result.max = result.mean = result.stddev = result.p1 = result.p50 = result.p99 =
        std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  result.min = min;
  result.max = max;
  result.mean = sum / finite;
  // From the mean in a second pass: sums of squares would cancel where the mean is large.
  double squares = 0;
  for_each_element(frame, type, [&](auto element) {
    const double distance = value_of(element) - result.mean;
    squares += std::isfinite(distance) ? distance * distance : 0;
  });
  result.stddev = std::sqrt(squares / finite);
  std::vector<double> sorted = values_of(frame, type);
  std::erase_if(sorted, [](double value) { return !std::isfinite(value); });
  std::ranges::sort(sorted);
  result.p1 = percentile(sorted, 1);
  result.p50 = percentile(sorted, 50);
  result.p99 = percentile(sorted, 99);
  return result;
}

std::vector<double> values_of(std::span<const std::byte> frame, DataType type) {
  std::vector<double> values;
  values.reserve(frame.size() / std::max<std::size_t>(element_size(type), 1));
  for_each_element(frame, type, [&](auto element) { values.push_back(value_of(element)); });
  return values;
}

}  // namespace shmim
