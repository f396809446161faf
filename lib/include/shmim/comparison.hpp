#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "shmim/element.hpp"
#include "shmim/export.hpp"

namespace shmim {

/// How far apart two elements may be and still be equal: |a - b| <= absolute + relative * |b|, with
/// the modulus of complex ones. An infinity equals itself alone.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
  bool nan_equals_nan = true;  ///< a complex number is NaN where one of its parts is
};

/// Where the elements of two frames differ.
struct Comparison {
  std::uint64_t elements = 0;
  std::uint64_t differing = 0;
  std::uint64_t nan = 0;  ///< of those that differ: one of the two is NaN, or both
  double largest = 0;     ///< |a - b| where it is largest; NaN where all that differ are NaN
  /// The element that it is of, as it lies in the frame, the first if there are several; the first
  /// that differs where all are NaN. 0 where none differs.
  std::uint64_t where = 0;

  [[nodiscard]] bool is_same() const noexcept { return differing == 0; }
};

/// Called with each element that differs, in order.
using OnDifference = std::function<void(std::uint64_t element)>;

/// Compares frames element by element, by value: they may be of different types. Integers are
/// compared exactly, with one another and with floating-point numbers, 64-bit ones too; a distance
/// is exact as far as a double is. `a` and `b` are copies, not live arrays. Throws Error: usage
/// (not so many elements in one as in the other, or not whole ones), bad_header (no data type).
[[nodiscard]] SHMIM_EXPORT Comparison compare(std::span<const std::byte> a, DataType type_of_a,
                                              std::span<const std::byte> b, DataType type_of_b,
                                              const Tolerance& tolerance = {},
                                              const OnDifference& on_difference = {});

}  // namespace shmim
