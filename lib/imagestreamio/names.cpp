// Where a stream is.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "imagestreamio/image.hpp"

namespace shmim::imagestreamio {
namespace {

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// The first that is there of the directories that the C library looks for; empty if none is.
std::string find_directory() {
  if (const char* given = std::getenv("MILK_SHM_DIR"); given != nullptr) {
    if (is_directory(given)) {
      return given;
    }
    std::printf("MILK_SHM_DIR: there is no directory '%s'\n", given);
  }
  for (const char* usual : {SHAREDMEMDIR, "/tmp"}) {
    if (is_directory(usual)) {
      return usual;
    }
  }
  return {};
}

/// As it was found by the first who asked, which is what programs of the C library rely on.
const std::string& directory() {
  static const std::string found = find_directory();
  return found;
}

}  // namespace

std::string path_of(const std::string& name) {
  if (directory().empty()) {
    throw Error(Problem::no_directory, name, "there is no directory for streams");
  }
  return directory() + "/" + name + ".im.shm";
}

void copy_name(std::span<char> to, const std::string& name) noexcept {
  const std::size_t length = std::min(name.size(), to.size() - 1);
  std::memcpy(to.data(), name.data(), length);
  std::memset(to.data() + length, 0, to.size() - length);
}

}  // namespace shmim::imagestreamio

using namespace shmim::imagestreamio;

errno_t ImageStreamIO_shmdirname(char* shmdname) {
  return guarded(IMAGESTREAMIO_FAILURE, [&] {
    const std::string found = find_directory();
    if (found.empty() || found.size() >= STRINGMAXLEN_DIR_NAME) {
      return report(IMAGESTREAMIO_FAILURE, "there is no directory for streams");
    }
    std::memcpy(shmdname, found.c_str(), found.size() + 1);
    return IMAGESTREAMIO_SUCCESS;
  });
}

errno_t ImageStreamIO_filename(char* file_name, size_t ssz, const char* im_name) {
  return guarded(IMAGESTREAMIO_FAILURE, [&] {
    const std::string path = path_of(im_name);
    if (path.size() >= ssz) {
      return report(IMAGESTREAMIO_FAILURE, "no room for the file name " + path);
    }
    std::memcpy(file_name, path.c_str(), path.size() + 1);
    return IMAGESTREAMIO_SUCCESS;
  });
}
