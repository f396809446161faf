#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace shmim {

/// Value of an IEEE 754 binary16, exactly.
inline float float16_to_float(std::uint16_t half) noexcept {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  float magnitude = 0;
  if (exponent == 0x1F) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa | 0x400), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The binary16 nearest to a value; ties go to the even one, what is too large to infinity.
inline std::uint16_t float_to_float16(float value) noexcept {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) {
    return static_cast<std::uint16_t>(sign | 0x7E00);
  }
  if (magnitude >= 65520.0F) {
    return static_cast<std::uint16_t>(sign | 0x7C00);
  }
  if (magnitude == 0.0F) {
    return sign;
  }
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // Numbers below 2^-14 are spaced like those just above it. A mantissa that rounds up to the next
  // power of two carries into the exponent bits, as it should.
  const int unit = std::max(exponent - 11, -24);
  const auto steps = static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, -unit)));
  const int biased = unit + 24;
  return static_cast<std::uint16_t>(sign | (biased == 0 ? steps : ((biased << 10) + steps)));
}

}  // namespace shmim
