#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/circular_buffer.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/resolve.hpp"
#include "shmim/selection.hpp"

namespace shmim {

/// Opens a FITS file for reading: plain, gzip or tile-compressed, filled up to its last block or
/// not. `file` is a path, which may be followed by what cfitsio's extended syntax has for an HDU
/// (`[2]`, `[EXTNAME]`,
/// `[EXTNAME,EXTVER]`) and an image section (`[10:20,*]`); nothing else of that syntax is accepted.
/// Without an HDU the first one that holds an image is taken. cfitsio is loaded here, at first use.
/// Throws Error: dangling_link, no_permission, not_an_image (what is missing, in words),
/// usage (what is in brackets), failed (truncated; cfitsio's own message; cfitsio not installed).
///
/// The image has the type of the file's elements, unsigned ones by the BZERO convention; values
/// with any other BSCALE or BZERO are float32, or float64 where that would not tell them apart, and
/// NaN where they are BLANK; so are pixels without a value of tile-compressed floats. A header's
/// keywords are those of the primary HDU too, behind the image's own, where it says INHERIT = T; of
/// one name the first is taken. BLANK of exact integers is one of them. Images of one file are not
/// to be read by several threads at once.
[[nodiscard]] SHMIM_EXPORT std::unique_ptr<ImageFile> open_fits(const std::string& file);

/// The images of a FITS file, one after the other: each HDU with an image, or the one image that
/// `file` names as for open_fits(). Throws the same.
[[nodiscard]] SHMIM_EXPORT std::vector<std::unique_ptr<ImageFile>> open_fits_images(
    const std::string& file);

/// Opens a FITS file whose bytes are in memory, as open_fits() does one that is named.
[[nodiscard]] SHMIM_EXPORT std::vector<std::unique_ptr<ImageFile>> open_fits_images(
    std::shared_ptr<const std::vector<std::byte>> bytes, const std::string& name);

/// True where `bytes` begin like a FITS file.
[[nodiscard]] SHMIM_EXPORT bool looks_like_fits(std::span<const std::byte> bytes) noexcept;

enum class Hdu { primary, extension };

/// Which frame it is that becomes an HDU. Beside the keywords it gets the cards EXTNAME (the
/// stream), CNT0, CNT1, DATE-OBS and MJD-OBS (when it was acquired), DATE-WRT and MJD-WRT (when it
/// was written), both in UTC and left out where the time is `never`, and TIMESYS. A keyword of the
/// same name goes first; one of TIMESYS, DATE-OBS or MJD-OBS then stands for all that it would
/// contradict. ImageFile::frame() has them again: they are not among its keywords.
struct FrameOrigin {
  std::string stream;
  FrameInfo frame;
};

/// A frame as FITS: header and data, complete with padding. As `primary` it is a file; as
/// `extension` it continues one. FITS knows neither complex numbers (they become a first axis of 2,
/// real and imaginary) nor float16 (it becomes float32): the card SHMIMTYP says what the type was.
///
/// Every value reads back the same, with exceptions that FITS imposes: a double that is no finite
/// number becomes an undefined value, trailing blanks of a string are lost, and what is not
/// printable ASCII becomes '?' (in a name, '_'). Names that are long or not in capitals are written
/// by the HIERARCH convention. A comment is cut where its card ends. Keywords that describe a FITS
/// file itself (NAXIS, BZERO, COMMENT, ...), that have no name or a value longer than a card are
/// left out: no keyword costs the frame. BLANK is one for integer types alone. altered_in_fits()
/// tells which. Throws Error: usage (pixels of another size), failed (cfitsio).
[[nodiscard]] SHMIM_EXPORT std::vector<std::byte> to_fits(
    Hdu hdu, DataType type, const Shape& shape, std::span<const std::byte> pixels,
    std::span<const Keyword> keywords, const std::optional<FrameOrigin>& origin = std::nullopt);

/// Writes a FITS file as to_fits() does, handed out part by part: it need not be in memory whole.
using WriteBytes = std::function<void(std::span<const std::byte> part)>;
SHMIM_EXPORT void to_fits(Hdu hdu, DataType type, const Shape& shape,
                          std::span<const std::byte> pixels, std::span<const Keyword> keywords,
                          const WriteBytes& write,
                          const std::optional<FrameOrigin>& origin = std::nullopt);

/// The keywords of a frame as they are of a selection of it: with the world coordinates (CRPIXn,
/// CDELTn, CDi_n, PCi_n, and their alternates) moved along with the pixels.
[[nodiscard]] SHMIM_EXPORT std::vector<Keyword> move_world(std::vector<Keyword> keywords,
                                                           const Selection& selection);

/// `NAME (why)` of the keywords that to_fits() leaves out or alters in an image of this type.
[[nodiscard]] SHMIM_EXPORT std::vector<std::string> altered_in_fits(
    DataType type, std::span<const Keyword> keywords);

}  // namespace shmim
