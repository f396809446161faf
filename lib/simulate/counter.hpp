#pragma once

#include <cstddef>
#include <cstdint>

#include "shmim/counter_check.hpp"
#include "shmim/format.hpp"

namespace shmim::simulate {

// The pixels of a counter: shmim-post(1) has them in words. Digits of 6 bits, lowest first, in
// numbers that every type holds exactly and every format keeps; the first of the number and the
// first of the time have 64 added, by which a group is found in a part of a frame, and what is none
// is told.

inline constexpr std::size_t digit_bits = 6;
inline constexpr std::uint64_t digit_mask = 63;
inline constexpr std::uint64_t first_digit = 64;
inline constexpr std::size_t number_digits = 7;
inline constexpr std::size_t group = 16;

/// How the numbers of a frame, of which a complex element has two, are counted through: row by row,
/// or where those are shorter than a group plane by plane, or all.
struct CounterRows {
  std::size_t length = 0;
  std::size_t count = 0;
};
CounterRows counter_rows(DataType type, const Shape& shape);

/// Fills a frame.
void write_counter(const CounterMark& mark, DataType type, const CounterRows& rows,
                   std::byte* frame);

}  // namespace shmim::simulate
