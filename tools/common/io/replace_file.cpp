#include "common/io/replace_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <shmim/error.hpp>
#include <shmim/file.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"

namespace shmim::tools {
namespace {

/// What open() would have given a new file.
mode_t usual_mode() noexcept {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

/// Not not_found, whatever is missing: that is said of streams.
Error cannot_write(const std::filesystem::path& path, int error_number) {
  return {Problem::failed, path.string(),
          fmt::format("cannot be written: {}", std::generic_category().message(error_number))};
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::string_view text) {
  // Beside it, for a rename is within one file system; hidden, and of no suffix that is looked for.
  std::string beside = (path.parent_path() / ("." + path.filename().string() + ".XXXXXX")).string();
  const FileDescriptor file(::mkstemp(beside.data()));
  if (file.get() < 0) {
    throw cannot_write(path, errno);
  }
  int error_number = write_all(file.get(), std::as_bytes(std::span(text)));
  if (error_number == 0 &&
      (::fchmod(file.get(), usual_mode()) != 0 || std::rename(beside.c_str(), path.c_str()) != 0)) {
    error_number = errno;
  }
  if (error_number != 0) {
    ::unlink(beside.c_str());
    throw cannot_write(path, error_number);
  }
}

}  // namespace shmim::tools
