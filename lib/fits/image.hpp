#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <fitsio.h>

#include "shmim/fits.hpp"
#include "shmim/format.hpp"

namespace shmim::fits {

inline constexpr std::size_t block_bytes = 2880;

/// Zeros that fill up the last block of so many bytes.
[[nodiscard]] constexpr std::size_t padding_of(std::uint64_t bytes) noexcept {
  return (block_bytes - bytes % block_bytes) % block_bytes;
}

/// True where FITS has no elements of this type, so that others stand for them: the card SHMIMTYP
/// says what they were.
[[nodiscard]] bool is_alien(DataType type);

/// cfitsio's code of an image that holds elements of this type.
[[nodiscard]] int image_code(DataType type);

/// The axes of an image of this shape: of complex numbers, the parts come first.
[[nodiscard]] std::vector<LONGLONG> image_axes(DataType type, const Shape& shape);

/// The cards of an image's keywords that have one, and SHMIMTYP before them.
[[nodiscard]] std::vector<std::string> image_cards(DataType type,
                                                   std::span<const Keyword> keywords);

/// The header of an image, complete with padding. `cards` follow those that say what it is.
[[nodiscard]] std::vector<std::byte> image_header(Hdu hdu, DataType type,
                                                  const std::vector<LONGLONG>& axes,
                                                  const std::vector<std::string>& cards);

/// A column of a table, by its TTYPEn, TFORMn and TUNITn, and the comment of the first.
struct Column {
  std::string name;
  std::string form;
  std::string unit;
  std::string comment;
};

/// The header of a binary table, as image_header() makes that of an image.
[[nodiscard]] std::vector<std::byte> table_header(const std::string& name,
                                                  const std::vector<Column>& columns, LONGLONG rows,
                                                  const std::vector<std::string>& cards);

/// Bytes of so many bytes of elements in a file.
[[nodiscard]] std::size_t encoded_bytes(DataType type, std::size_t bytes) noexcept;

/// Elements as FITS has them: the most significant byte first, and of unsigned ones, and of signed
/// bytes, the top bit turned over, which is what their BZERO says. `out` has encoded_bytes().
void encode(DataType type, std::span<const std::byte> elements, std::span<std::byte> out);
/// The same, handed out in pieces: a frame may be all that there is memory for.
void encode_in_pieces(DataType type, std::span<const std::byte> elements, const WriteBytes& write);

}  // namespace shmim::fits
