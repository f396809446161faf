#include "recording/pixel_file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
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

/// Where there can be no thread, it is done when it is waited for.
template <class Job>
std::future<void> in_background(Job job) {
  const AllSignalsBlocked blocked;
  return std::async(std::launch::async | std::launch::deferred, std::move(job));
}

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

PixelFile::Piece::Piece()
    : bytes(static_cast<std::byte*>(std::aligned_alloc(alignment, piece_bytes))) {
  if (!bytes) {
    throw std::bad_alloc();
  }
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

std::span<std::byte> PixelFile::room() {
  if (filled_->used == piece_bytes) {
    // Its turn comes when the other is written, whether or not this thread has been woken by then.
    const std::shared_future<void> other = std::exchange(under_way_, {});
    if (!other.valid()) {
      write(*other_);  // what is left of it, after an error
    }
    const std::uint64_t before = filled_->begin + filled_->handed_over;
    std::future<void> next = in_background([this, other, piece = filled_] {
      if (other.valid()) {
        other.get();
      }
      write(*piece);
    });
    if (other.valid()) {
      other.get();
    }
    under_way_ = next.share();
    before_other_ = before;
    std::swap(filled_, other_);
    filled_->begin = other_->begin + piece_bytes;
    filled_->used = filled_->handed_over = 0;
  }
  return std::span(filled_->bytes.get(), piece_bytes).subspan(filled_->used);
}

void PixelFile::flush() {
  if (under_way_.valid()) {
    std::exchange(under_way_, {}).get();
  }
  write(*other_);  // what is left of it, after an error
  write(*filled_);
}

bool PixelFile::give_back(std::uint64_t bytes) {
  const std::uint64_t before = handed_over();
  cut_ = before - std::min(before, bytes);
  return before > 0 && ::ftruncate(file_.get(), static_cast<off_t>(*cut_)) == 0;
}

std::uint64_t PixelFile::handed_over() const noexcept {
  if (cut_) {
    return *cut_;
  }
  if (under_way_.valid()) {
    return before_other_;
  }
  const Piece& first = other_->handed_over < other_->used ? *other_ : *filled_;
  return first.begin + first.handed_over;
}

void PixelFile::write(Piece& piece) const {
  if (piece.used == piece.handed_over) {
    return;
  }
  const std::size_t begin = is_direct_ ? aligned_down(piece.handed_over) : piece.handed_over;
  const std::size_t end = is_direct_ ? aligned_up(piece.used) : piece.used;
  std::byte* const bytes = piece.bytes.get();
  std::memset(bytes + piece.used, 0, end - piece.used);
  std::size_t most = end - begin;
  for (std::size_t at = begin; at < end;) {
    const std::size_t size = std::min(most, end - at);
    try {
      at += write_some_at(file_.get(), {bytes + at, size}, piece.begin + at, path_);
    } catch (const Error& error) {
      // Of what has no room as a whole some disks take nothing.
      most = aligned_down(size / 2);
      if (error.problem() != Problem::no_space || most == 0) {
        throw;
      }
    }
    piece.handed_over = std::clamp(at, piece.handed_over, piece.used);
  }
}

void PixelFile::sync() {
  flush();
  if (::fdatasync(file_.get()) != 0) {
    throw Error::system(path_, "cannot be written", errno);
  }
}

}  // namespace shmim::recording
