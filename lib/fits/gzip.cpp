#include "fits/gzip.hpp"

#include <cerrno>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "fits/cfitsio.hpp"
#include "shmim/error.hpp"

namespace shmim::fits {
namespace {

/// zlib is opened with cfitsio, which needs it anyway.
struct Zlib {
  decltype(&::gzopen) open = cfitsio::symbol<decltype(&::gzopen)>("gzopen");
  decltype(&::gzread) read = cfitsio::symbol<decltype(&::gzread)>("gzread");
  decltype(&::gzerror) error = cfitsio::symbol<decltype(&::gzerror)>("gzerror");
  decltype(&::gzclose) close = cfitsio::symbol<decltype(&::gzclose)>("gzclose");
};

}  // namespace

std::vector<std::byte> gunzip(const std::string& path, const std::string& subject) {
  static const Zlib zlib;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(zlib.open(path.c_str(), "rbe"), zlib.close);
  if (file == nullptr) {
    throw Error::system(subject, "cannot be read", errno);
  }
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<std::byte> bytes;
  int got = 0;
  do {
    const std::size_t before = bytes.size();
    bytes.resize(before + piece);
    got = zlib.read(file.get(), bytes.data() + before, static_cast<unsigned>(piece));
    bytes.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
  } while (got > 0);
  int status = Z_OK;
  const char* const why = zlib.error(file.get(), &status);
  if (status != Z_OK) {
    throw Error(Problem::failed, subject,
                fmt::format("is truncated or damaged: {} (zlib {})",
                            status == Z_BUF_ERROR ? "unexpected end of file" : why, status));
  }
  return bytes;
}

}  // namespace shmim::fits
