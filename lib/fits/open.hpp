#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "fits/cfitsio.hpp"

namespace shmim::fits {

/// Opens a FITS file: plain, gzip or what else cfitsio unpacks, filled up to its last block or not.
/// `subject` is for messages. Throws as open_fits() does.
std::shared_ptr<const cfitsio::File> open_file(const std::string& path, const std::string& subject);
/// With what is lacking to fill the last block: cfitsio fails to read small files without.
std::shared_ptr<const cfitsio::File> open_in_memory(std::vector<std::byte> bytes,
                                                    const std::string& subject);

// HDUs. cfitsio counts from 1; its extended syntax, and so our messages, from 0.

/// True where the current HDU has axes; a tile-compressed image counts, a table does not.
bool holds_image(const cfitsio::File& file);
/// Moves on to an HDU; false at the end of the file.
bool move_to(const cfitsio::File& file, int number);
/// Throws Error (not_an_image) where there is none.
void move_to_first_image(const cfitsio::File& file);
/// Lengths of the axes of the current HDU's image.
std::vector<LONGLONG> axes_of(const cfitsio::File& file);
/// Throws Error (failed) where the data of the current HDU are not all there: cfitsio reads what
/// lies beyond the end of a file as zeros.
void check_complete(const cfitsio::File& file);

}  // namespace shmim::fits
