#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

// NumPy's format for arrays: a header, and the elements behind it.

/// The header of an array of that type, of one frame, or with `frames` of so many one behind the
/// other. Axes in C order, as NumPy has them. It has at least `bytes`.
std::string npy_header(DataType type, const Shape& shape,
                       std::optional<std::uint64_t> frames = std::nullopt, std::size_t bytes = 0);

/// What a header says.
struct NpyArray {
  std::string descr;                ///< `<u2`, as NumPy writes a type
  std::optional<DataType> type;     ///< nullopt: one that no stream has
  bool is_big_endian = false;       ///< the bytes of a number stand the other way round
  bool is_fortran = false;          ///< the first axis varies fastest
  std::vector<std::uint64_t> axes;  ///< in NumPy's order
};

/// The axes of a shape in NumPy's order.
[[nodiscard]] std::vector<std::uint64_t> npy_axes(const Shape& shape);

/// Bytes of which the first `npy_start_bytes` tell how long the header is.
inline constexpr std::size_t npy_start_bytes = 12;
/// Length of a header, of which the start is given; nullopt where it is not one.
[[nodiscard]] std::optional<std::size_t> npy_header_bytes(std::string_view start);
/// Reads a header, whole; nullopt where it is none.
[[nodiscard]] std::optional<NpyArray> parse_npy_header(std::string_view header);

}  // namespace shmim::tools
