#include "cat/npy_series.hpp"

#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/stdout.hpp"
#include "common/print/npy.hpp"

namespace shmim::tools {
namespace {

/// Where in the file standard output stands; nullopt where only its end can be written to.
std::optional<off_t> position_in_file() noexcept {
  struct stat status {};
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  const off_t position = ::lseek(STDOUT_FILENO, 0, SEEK_CUR);
  const bool is_file = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  return is_file && position >= 0 && (flags & O_APPEND) == 0 ? std::optional(position)
                                                             : std::nullopt;
}

}  // namespace

void NpySeries::write(std::span<const std::byte> frame) {
  if (header_bytes_ == 0) {
    const std::string header = npy_header(type_, shape_, promised_);
    header_at_ = position_in_file();
    header_bytes_ = header.size();
    write_stdout(header);
  }
  write_stdout(frame);
  ++written_;
}

bool NpySeries::end_early() const {
  if (header_bytes_ == 0) {
    return true;
  }
  const std::string header = npy_header(type_, shape_, written_, header_bytes_);
  return header_at_ && ::pwrite(STDOUT_FILENO, header.data(), header.size(), *header_at_) ==
                           static_cast<ssize_t>(header.size());
}

}  // namespace shmim::tools
