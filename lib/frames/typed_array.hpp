#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "shmim/layout.hpp"

namespace shmim {

/// Tags of RFC 8746: an array of several axes, the last of which varies fastest, with a typed array
/// of its elements.
inline constexpr std::uint64_t multi_dimensional = 40;

struct TypedArray {
  DataType type;
  std::uint64_t tag;  ///< of little-endian elements
};
inline constexpr std::array<TypedArray, 11> typed_arrays{{
    {DataType::uint8, 64},
    {DataType::uint16, 69},
    {DataType::uint32, 70},
    {DataType::uint64, 71},
    {DataType::int8, 72},
    {DataType::int16, 77},
    {DataType::int32, 78},
    {DataType::int64, 79},
    {DataType::float16, 84},
    {DataType::float32, 85},
    {DataType::float64, 86},
}};
static_assert(std::endian::native == std::endian::little);

/// What one element of a complex type is two of; of any other, itself.
[[nodiscard]] constexpr DataType part_of(DataType type) noexcept {
  return type == DataType::complex64    ? DataType::float32
         : type == DataType::complex128 ? DataType::float64
                                        : type;
}

}  // namespace shmim
