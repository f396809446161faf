#pragma once

// The numbers that elements are made of, and how they are made of real ones. All arithmetic here
// and in what includes this is additions, products, quotients and comparisons of doubles, and no
// function of libm, so that a pattern is the same bit by bit wherever it is made; CMakeLists.txt
// keeps the compiler from fusing any of it.

#include <algorithm>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "shmim/element.hpp"
#include "shmim/float16.hpp"

namespace shmim::simulate {

/// An element as so many numbers of one type.
template <class T>
struct Parts {
  using Number = T;
  static constexpr std::size_t count = 1;
};
template <class Real>
struct Parts<std::complex<Real>> {
  using Number = Real;
  static constexpr std::size_t count = 2;
};

template <class Number>
constexpr double lowest() noexcept {
  if constexpr (std::is_same_v<Number, Float16>) {
    return -65504;
  } else {
    return static_cast<double>(std::numeric_limits<Number>::lowest());
  }
}

template <class Number>
constexpr double highest() noexcept {
  if constexpr (std::is_same_v<Number, Float16>) {
    return 65504;
  } else {
    return static_cast<double>(std::numeric_limits<Number>::max());
  }
}

/// The nearest number of that type; ties go away from 0. Beyond its range, the end of it.
template <class Number>
Number nearest(double value) noexcept {
  const double held = std::min(std::max(value, lowest<Number>()), highest<Number>());
  if constexpr (std::is_same_v<Number, Float16>) {
    return {float_to_float16(static_cast<float>(held))};
  } else if constexpr (!std::is_integral_v<Number>) {
    return static_cast<Number>(held);
  } else {
    const double beyond = held < 0 ? held - 0.5 : held + 0.5;
    if constexpr (sizeof(Number) < sizeof(std::int32_t)) {
      return static_cast<Number>(static_cast<std::int32_t>(beyond));
    } else {
      // As a double the largest of 64 bits is one more than it is.
      return value >= highest<Number>() ? std::numeric_limits<Number>::max()
                                        : static_cast<Number>(beyond);
    }
  }
}

/// An element; types without an imaginary part pass over it.
template <class T>
T element_of(double real, [[maybe_unused]] double imaginary = 0) noexcept {
  using Number = typename Parts<T>::Number;
  if constexpr (Parts<T>::count == 2) {
    return {nearest<Number>(real), nearest<Number>(imaginary)};
  } else {
    return nearest<Number>(real);
  }
}

}  // namespace shmim::simulate
