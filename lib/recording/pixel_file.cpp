#include "recording/pixel_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <unistd.h>

#include "shmim/error.hpp"

namespace shmim::recording {
namespace {

/// What direct I/O asks for of addresses, offsets and lengths: no disk has larger sectors.
constexpr std::size_t alignment = 4096;
constexpr std::size_t piece_bytes = std::size_t{4} << 20;

constexpr std::size_t aligned_down(std::size_t bytes) { return bytes / alignment * alignment; }
constexpr std::size_t aligned_up(std::size_t bytes) { return aligned_down(bytes + alignment - 1); }

FileDescriptor create(const std::string& path, int flags) {
  constexpr mode_t mode = 0666;  // without what the umask takes
  return FileDescriptor(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | flags, mode));
}

}  // namespace

void write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
              const std::string& subject) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw Error::system(subject, "cannot be written", errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void PixelFile::Free::operator()(std::byte* piece) const noexcept { std::free(piece); }

PixelFile::PixelFile(const std::string& path, DirectIo direct)
    : path_(path), piece_(static_cast<std::byte*>(std::aligned_alloc(alignment, piece_bytes))) {
  if (!piece_) {
    throw std::bad_alloc();
  }
  file_ = create(path, direct == DirectIo::off ? 0 : O_DIRECT);
  is_direct_ = direct != DirectIo::off;
  // tmpfs and others know no direct I/O; some have made the file before they say so.
  if (file_.get() < 0 && errno == EINVAL) {
    if (direct == DirectIo::on) {
      throw Error(Problem::failed, path, "there is no direct I/O on this file system");
    }
    ::unlink(path.c_str());
    file_ = create(path, 0);
    is_direct_ = false;
  }
  if (file_.get() < 0) {
    throw Error::system(path, "cannot be made", errno);
  }
}

std::span<std::byte> PixelFile::room() {
  if (used_ == piece_bytes) {
    flush();
    begin_ += piece_bytes;
    used_ = handed_over_ = 0;
  }
  return std::span(piece_.get(), piece_bytes).subspan(used_);
}

void PixelFile::flush() {
  if (used_ == handed_over_) {
    return;
  }
  const std::size_t begin = is_direct_ ? aligned_down(handed_over_) : handed_over_;
  const std::size_t end = is_direct_ ? aligned_up(used_) : used_;
  std::memset(piece_.get() + used_, 0, end - used_);
  write_at(file_.get(), {piece_.get() + begin, end - begin}, begin_ + begin, path_);
  handed_over_ = used_;
}

void PixelFile::sync() {
  flush();
  if (::fdatasync(file_.get()) != 0) {
    throw Error::system(path_, "cannot be written", errno);
  }
}

}  // namespace shmim::recording
