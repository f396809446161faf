#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "fits/cfitsio.hpp"
#include "shmim/element.hpp"

namespace shmim::fits {

/// False of 64-bit integers, which cfitsio does not compress, and of more than three axes, which
/// astropy reads since version 5.3 only.
[[nodiscard]] bool is_compressible(DataType type, std::size_t axes) noexcept;

/// Writes the image of the current HDU of `in` to a file that has a primary HDU and no other, as
/// the next, tile by tile: integers by RICE, floats by GZIP_2, each to the bit. Its cards are what
/// they were. What was written is read again and compared. False as soon as `goes_on` says so,
/// which is asked before each tile, and told how much is done, 0 to 1; cfitsio is free for others
/// meanwhile. Throws Error: no_space, failed (and that it reads otherwise).
bool compress_image(const cfitsio::File& in, const std::string& path, const std::string& subject,
                    const std::function<bool(double done)>& goes_on);

}  // namespace shmim::fits
