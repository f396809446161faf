#include "shmim/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "shmim/float16.hpp"

namespace shmim {
namespace {

struct Half {
  std::uint16_t bits;
};

double value_of(Half element) noexcept { return float16_to_float(element.bits); }
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

template <class Element, class Visit>
void for_each_of(std::span<const std::byte> frame, const Visit& visit) {
  for (std::size_t at = 0; at + sizeof(Element) <= frame.size(); at += sizeof(Element)) {
    Element element{};
    std::memcpy(&element, &frame[at], sizeof(Element));
    visit(element);
  }
}

/// Calls visit(element) for each, in its own type.
template <class Visit>
void for_each_element(std::span<const std::byte> frame, DataType type, const Visit& visit) {
  switch (type) {
    case DataType::uint8:
      return for_each_of<std::uint8_t>(frame, visit);
    case DataType::int8:
      return for_each_of<std::int8_t>(frame, visit);
    case DataType::uint16:
      return for_each_of<std::uint16_t>(frame, visit);
    case DataType::int16:
      return for_each_of<std::int16_t>(frame, visit);
    case DataType::uint32:
      return for_each_of<std::uint32_t>(frame, visit);
    case DataType::int32:
      return for_each_of<std::int32_t>(frame, visit);
    case DataType::uint64:
      return for_each_of<std::uint64_t>(frame, visit);
    case DataType::int64:
      return for_each_of<std::int64_t>(frame, visit);
    case DataType::float32:
      return for_each_of<float>(frame, visit);
    case DataType::float64:
      return for_each_of<double>(frame, visit);
    case DataType::complex64:
      return for_each_of<std::complex<float>>(frame, visit);
    case DataType::complex128:
      return for_each_of<std::complex<double>>(frame, visit);
    case DataType::float16:
      return for_each_of<Half>(frame, visit);
  }
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
    result.min = result.max = result.mean = result.stddev =
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
  return result;
}

std::vector<double> values_of(std::span<const std::byte> frame, DataType type) {
  std::vector<double> values;
  values.reserve(frame.size() / std::max<std::size_t>(element_size(type), 1));
  for_each_element(frame, type, [&](auto element) { values.push_back(value_of(element)); });
  return values;
}

}  // namespace shmim
