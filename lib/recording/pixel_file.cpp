#include "recording/pixel_file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <tuple>
#include <utility>

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

/// A thread that is made meanwhile gets no signal: whoever handles them is another.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

std::size_t write_some_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
                          const std::string& subject) {
  for (;;) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written >= 0) {
      return static_cast<std::size_t>(written);
    }
    if (errno == EFBIG) {  // a limit of the process, or of a file system such as vfat
      throw Error(Problem::no_space, subject, "cannot be written: a file may not be larger here");
    }
    if (errno != EINTR) {
      throw Error::system(subject, "cannot be written", errno);
    }
  }
}

void write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
              const std::string& subject) {
  while (!bytes.empty()) {
    const std::size_t written = write_some_at(file, bytes, offset, subject);
    bytes = bytes.subspan(written);
    offset += written;
  }
}

void PixelFile::Free::operator()(std::byte* bytes) const noexcept {
  std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc): it is of aligned_alloc()
}

PixelFile::Piece PixelFile::new_piece() {
  Piece piece(static_cast<std::byte*>(std::aligned_alloc(alignment, piece_bytes)));
  if (!piece) {
    throw std::bad_alloc();
  }
  return piece;
}

PixelFile::PixelFile(const std::string& path, DirectIo direct)
    : path_(path), is_direct_(direct != DirectIo::off) {
  file_ = create(path, direct == DirectIo::off ? 0 : O_DIRECT);
  // tmpfs and others know no direct I/O; some have made the file before they say so.
  if (file_.get() < 0 && errno == EINVAL) {
    ::unlink(path.c_str());
    if (direct == DirectIo::on) {
      throw Error(Problem::failed, path, "there is no direct I/O on this file system");
    }
    file_ = create(path, 0);
    is_direct_ = false;
  }
  if (file_.get() < 0) {
    throw Error::system(path, "cannot be made", errno);
  }
}

std::byte* PixelFile::bytes_at(std::uint64_t offset) const noexcept {
  return pieces_[offset / piece_bytes % pieces_.size()].get() + offset % piece_bytes;
}

std::span<std::byte> PixelFile::room() {
  if (size_ % piece_bytes == 0 && size_ > 0) {
    start_writer();
    {
      const std::lock_guard lock(mutex_);
      full_ = size_;
    }
    changed_.notify_all();
    constexpr std::uint64_t others = (std::tuple_size_v<decltype(pieces_)> - 1) * piece_bytes;
    wait_until_handed_over(size_ - std::min(size_, others));
  }
  return {bytes_at(size_), piece_bytes - size_ % piece_bytes};
}

void PixelFile::flush() {
  wait_until_handed_over(full_);
  write_until(size_);
}

bool PixelFile::give_back(std::uint64_t bytes) {
  const std::uint64_t before = handed_over();
  cut_ = before - std::min(before, bytes);
  return before > 0 && ::ftruncate(file_.get(), static_cast<off_t>(*cut_)) == 0;
}

void PixelFile::start_writer() {
  if (writer_) {
    return;
  }
  writer_.emplace();
  try {
    const AllSignalsBlocked blocked;
    *writer_ = std::jthread([this](const std::stop_token& stop) { write_full_pieces(stop); });
  } catch (const std::system_error&) {
    return;
  }
}

void PixelFile::write_full_pieces(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return handed_over_ < full_; })) {
    const std::uint64_t end = full_;
    lock.unlock();
    std::exception_ptr error;
    try {
      write_piece(end);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    changed_.notify_all();
    if (error || stop.stop_requested()) {
      return;
    }
  }
}

void PixelFile::wait_until_handed_over(std::uint64_t end) {
  if (writer_ && writer_->joinable()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return error_ || handed_over_ >= end; });
    if (!error_) {
      return;
    }
    lock.unlock();
    writer_->join();
    std::rethrow_exception(std::exchange(error_, {}));
  }
  write_until(end);
}

void PixelFile::write_until(std::uint64_t end) {
  while (handed_over_ < end) {
    write_piece(end);
  }
}

/// Of the first piece of which something has not been written, what is before `end`.
void PixelFile::write_piece(std::uint64_t end) {
  const std::uint64_t before = handed_over_;
  const std::uint64_t begin = before / piece_bytes * piece_bytes;
  const std::uint64_t used = std::min(end, begin + piece_bytes);
  const std::uint64_t stop = is_direct_ ? aligned_up(used) : used;
  std::memset(bytes_at(begin) + (used - begin), 0, stop - used);
  std::size_t most = piece_bytes;
  for (std::uint64_t at = is_direct_ ? aligned_down(before) : before; at < stop;) {
    const std::size_t size = std::min<std::uint64_t>(most, stop - at);
    try {
      at += write_some_at(file_.get(), {bytes_at(at), size}, at, path_);
    } catch (const Error& error) {
      // Of what has no room as a whole some disks take nothing.
      most = aligned_down(size / 2);
      if (error.problem() != Problem::no_space || most == 0) {
        throw;
      }
    }
    handed_over_ = std::clamp(at, before, used);
  }
}

void PixelFile::sync() {
  flush();
  if (::fdatasync(file_.get()) != 0) {
    throw Error::system(path_, "cannot be written", errno);
  }
}

}  // namespace shmim::recording
