#include "fits/open.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "fits/gzip.hpp"
#include "fits/image.hpp"
#include "shmim/error.hpp"
#include "shmim/fits.hpp"

namespace shmim::fits {
namespace {

using cfitsio::File;
using cfitsio::Functions;

enum class Kind { plain, gzip, compressed };

void check_kind(const std::string& path, const std::string& subject) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    const int error_number = errno;
    if (lstat(path.c_str(), &status) == 0) {
      throw Error(Problem::dangling_link, subject, "is a link to a file that is not there");
    }
    if (path.find("://") != path.npos) {
      throw Error(Problem::usage, subject, "is a URL; only local files are read");
    }
    if (error_number == ENOENT) {  // which is no missing stream
      throw Error(Problem::failed, subject,
                  fmt::format("cannot be read: {}", std::generic_category().message(error_number)));
    }
    throw Error::system(subject, "cannot be read", error_number);
  }
  if (S_ISDIR(status.st_mode)) {
    throw Error(Problem::not_an_image, subject, "is a directory, not a FITS file");
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(Problem::not_an_image, subject, "is not a regular file; save it to disk first");
  }
}

Kind kind_of(const std::string& path, const std::string& subject) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    throw Error::system(subject, "cannot be read", errno);
  }
  std::array<char, FLEN_CARD> buffer{};
  const std::string_view bytes(buffer.data(),
                               std::fread(buffer.data(), 1, buffer.size(), file.get()));
  if (bytes.empty()) {
    throw Error(Problem::not_an_image, subject, "is empty");
  }
  if (looks_like_fits(std::as_bytes(std::span(bytes)))) {
    return Kind::plain;
  }
  if (bytes.starts_with("\x1f\x8b")) {
    return Kind::gzip;
  }
  constexpr std::array<std::string_view, 3> read_by_cfitsio{"\x1f\x9d", "PK", "BZh"};
  if (std::any_of(read_by_cfitsio.begin(), read_by_cfitsio.end(),
                  [bytes](std::string_view start) { return bytes.starts_with(start); })) {
    return Kind::compressed;
  }
  throw Error(Problem::not_an_image, subject, "is not a FITS file");
}

LONGLONG read_integer(const File& file, const char* name, LONGLONG otherwise) {
  LONGLONG value = otherwise;
  file.call_unless(KEY_NO_EXIST, &Functions::fits_read_key, int{TLONGLONG}, name, &value, nullptr);
  return value;
}

/// Numbers that no file reaches: of bytes that a header asks for.
__extension__ using Wide = unsigned __int128;

/// Where the data of the current HDU end, without the filling of the last block; nothing where that
/// is more than can be told. cfitsio's own numbers do not tell: they wrap.
std::optional<Wide> data_end(const File& file) {
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  file.call(&Functions::fits_get_hduaddrll, &header, &data, &end);
  const LONGLONG axes = read_integer(file, "NAXIS", 0);
  Wide bytes = axes > 0 ? 1 : 0;
  bool is_told = true;
  for (LONGLONG axis = 1; axis <= axes; ++axis) {
    const LONGLONG length = read_integer(file, fmt::format("NAXIS{}", axis).c_str(), 0);
    is_told = !__builtin_mul_overflow(bytes, static_cast<Wide>(length), &bytes) && is_told;
  }
  bytes += static_cast<Wide>(read_integer(file, "PCOUNT", 0));
  const auto element = static_cast<Wide>(std::llabs(read_integer(file, "BITPIX", 8)) / 8);
  is_told = !__builtin_mul_overflow(bytes, element, &bytes) && is_told;
  return is_told ? std::optional(bytes + static_cast<Wide>(data)) : std::nullopt;
}

std::vector<std::byte> read_file(const std::string& path, const std::string& subject) {
  std::ifstream file(path, std::ios::binary);
  const auto size = std::filesystem::file_size(path);
  std::vector<std::byte> bytes;
  bytes.reserve(size + block_bytes);  // to be filled up where it is
  bytes.resize(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) {
    throw Error(Problem::failed, subject, "cannot be read");
  }
  return bytes;
}

}  // namespace

std::shared_ptr<const File> open_in_memory(std::vector<std::byte> bytes,
                                           const std::string& subject) {
  const std::size_t size = bytes.size();
  bytes.resize(size + padding_of(size));
  return std::make_shared<const File>(
      File::open(std::make_shared<const std::vector<std::byte>>(std::move(bytes)), size, subject));
}

std::shared_ptr<const File> open_file(const std::string& path, const std::string& subject) {
  check_kind(path, subject);
  const Kind kind = kind_of(path, subject);
  if (kind == Kind::gzip) {
    std::vector<std::byte> bytes = gunzip(path, subject);
    if (!looks_like_fits(bytes)) {
      throw Error(Problem::not_an_image, subject, "is gzip, and holds no FITS file");
    }
    return open_in_memory(std::move(bytes), subject);
  }
  if (kind == Kind::plain && std::filesystem::file_size(path) % block_bytes != 0) {
    return open_in_memory(read_file(path, subject), subject);
  }
  return std::make_shared<const File>(File::open(path, subject));
}

bool holds_image(const File& file) {
  int type = 0;
  int axes = 0;
  file.call(&Functions::fits_get_hdu_type, &type);
  if (type != IMAGE_HDU && !file.is_compressed()) {
    return false;
  }
  file.call(&Functions::fits_get_img_dim, &axes);
  return axes > 0;
}

bool move_to(const File& file, int number) {
  return file.call_unless(END_OF_FILE, &Functions::fits_movabs_hdu, number, nullptr);
}

void move_to_first_image(const File& file) {
  for (int number = 1; move_to(file, number); ++number) {
    if (holds_image(file)) {
      return;
    }
  }
  throw Error(Problem::not_an_image, file.subject(), "holds no image");
}

std::vector<LONGLONG> axes_of(const File& file) {
  int count = 0;
  file.call(&Functions::fits_get_img_dim, &count);
  std::vector<LONGLONG> axes(static_cast<std::size_t>(count));
  file.call(&Functions::fits_get_img_sizell, count, axes.data());
  return axes;
}

void check_complete(const File& file) {
  const std::optional<Wide> end = data_end(file);
  if (!end || *end > file.size()) {
    throw Error(Problem::failed, file.subject(),
                fmt::format("is truncated: it has {} bytes, and HDU {} needs {}", file.size(),
                            file.hdu() - 1, end ? fmt::to_string(*end) : "more than 2^128"));
  }
}

}  // namespace shmim::fits
