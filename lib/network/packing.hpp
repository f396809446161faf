#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shmim/element.hpp"
#include "shmim/network.hpp"

// Pixels in fewer bytes, exactly: their bits are shuffled, so that those of one weight stand
// together, and then compressed, by Blosc.

namespace shmim::network {

/// True of a frame that is worth the work, and no larger than Blosc takes.
[[nodiscard]] bool can_pack(std::uint64_t bytes) noexcept;

/// The pixels by `codec`, which is lz4 or zstd. Empty where they would not be fewer bytes, by
/// enough to be worth unpacking them.
[[nodiscard]] std::vector<std::byte> pack(Compression codec, DataType type,
                                          std::span<const std::byte> pixels);

/// What pack() was given, into `room`, which it fills. Throws Error (failed) for what is damaged,
/// or of another size; then `room` may hold anything.
void unpack(std::span<const std::byte> packed, std::span<std::byte> room);

}  // namespace shmim::network
