#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/resolve.hpp"

namespace shmim {

/// Opens a FITS file for reading: plain, gzip or tile-compressed. `file` is a path, which may be
/// followed by cfitsio's extended syntax (`[2]`, `[EXTNAME]`, `[10:20,*]`) to name the HDU or a
/// section; without it the first HDU that holds an image is taken. cfitsio is loaded here, at first
/// use. Throws Error: not_found, no_permission, not_an_image (what is missing, in words), failed
/// (cfitsio's own message: truncated, damaged, cfitsio not installed).
SHMIM_EXPORT std::unique_ptr<ImageFile> open_fits(const std::string& file);

/// The images of a FITS file that is in memory, one after the other: each HDU with an image.
SHMIM_EXPORT std::vector<std::unique_ptr<ImageFile>> open_fits_images(
    std::shared_ptr<const std::vector<std::byte>> bytes, const std::string& name);

/// True where `bytes` begin like a FITS file.
SHMIM_EXPORT bool looks_like_fits(std::span<const std::byte> bytes) noexcept;

enum class Hdu { primary, extension };

/// A frame as FITS: header and data, complete with padding. As `primary` it is a file; as `extension`
/// it continues one. FITS knows neither complex numbers (they become a first axis of 2, real and
/// imaginary) nor float16 (it becomes float32): the card SHMIMTYP says what the type was.
SHMIM_EXPORT std::vector<std::byte> to_fits(Hdu hdu, DataType type, const Shape& shape,
                                            std::span<const std::byte> pixels,
                                            std::span<const Keyword> keywords);

}  // namespace shmim
