#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace shmim {

/// Value of an IEEE 754 binary16, exactly.
inline float float16_to_float(std::uint16_t half) noexcept {
  const std::uint32_t exponent = (half >> 10) & 0x1F;
  const std::uint32_t mantissa = half & 0x3FF;
  float magnitude = 0;
  if (exponent == 0x1F) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = static_cast<float>(mantissa) * 0x1p-24F;
  } else {
    magnitude = std::bit_cast<float>((exponent + (127 - 15)) << 23 | mantissa << 13);
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The binary16 nearest to a value; ties go to the even one, what is too large to infinity.
inline std::uint16_t float_to_float16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const auto magnitude = std::bit_cast<float>(bits & 0x7FFFFFFF);
  if (std::isnan(magnitude)) {
    return static_cast<std::uint16_t>(sign | 0x7E00);
  }
  if (magnitude >= 65520.0F) {
    return static_cast<std::uint16_t>(sign | 0x7C00);
  }
  // Numbers below 2^-14 are spaced like those just above it. A mantissa that rounds up to the next
  // power of two carries into the exponent bits, as it should.
  const std::uint32_t exponent = std::max((bits >> 23 & 0xFF), 127U - 14U);
  // So large a number has no bits behind its point: adding it leaves the nearest whole number of
  // steps in the bits below, without a call to the mathematical library that every tool would have
  // to load.
  const auto steps_apart = std::bit_cast<float>((127 + 10 + 127 - exponent) << 23);
  const auto steps = std::bit_cast<std::uint32_t>(magnitude * steps_apart + 0x1p23F) & 0x7FFFFF;
  return static_cast<std::uint16_t>(sign | (((exponent - (127 - 14)) << 10) + steps));
}

}  // namespace shmim
