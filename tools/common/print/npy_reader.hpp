#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <shmim/shmim.hpp>

#include "common/io/input.hpp"
#include "common/print/npy.hpp"

namespace shmim::tools {

/// The header of an array, and how long it is.
struct NpyHeader {
  std::size_t bytes = 0;
  NpyArray array;
};

/// Looks at the header that is next, and takes nothing; nullopt at the end. Throws Error (failed)
/// where there is none.
[[nodiscard]] std::optional<NpyHeader> peek_npy_header(Input& input);
/// The type of its elements. Throws Error (failed) where no stream has elements, or a shape, like
/// it: the last axes are of a frame of one axis to three, and `of_frames` more may come first.
[[nodiscard]] DataType require_npy_type(const Input& input, const NpyArray& array,
                                        std::size_t of_frames = 0);
/// Throws Error (failed) for an array whose first axis varies fastest: its frames do not stand one
/// behind the other.
void require_c_order(const Input& input, const NpyArray& array);
/// Turns the bytes of each number round; a complex element is two.
void swap_bytes(std::span<std::byte> frame, DataType type);

}  // namespace shmim::tools
