#include "frame_output.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tool.hpp"

namespace shmim::tools {
namespace {

/// Where standard output stands, if what is written from here on can be taken back.
class Retractable {
 public:
  static std::optional<Retractable> stdout_here() {
    struct stat status {};
    if (::fstat(STDOUT_FILENO, &status) != 0) {
      return std::nullopt;
    }
    constexpr unsigned null_major = 1;
    constexpr unsigned null_minor = 3;
    if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(null_major, null_minor)) {
      return Retractable(-1);
    }
    const off_t here = S_ISREG(status.st_mode) ? ::lseek(STDOUT_FILENO, 0, SEEK_CUR) : -1;
    const bool appends = (::fcntl(STDOUT_FILENO, F_GETFL) & O_APPEND) != 0;  // others may, too
    return here >= 0 && here == status.st_size && !appends ? std::optional(Retractable(here))
                                                           : std::nullopt;
  }
  void take_back() const {
    if (here_ >= 0 && (::ftruncate(STDOUT_FILENO, here_) != 0 ||
                       ::lseek(STDOUT_FILENO, here_, SEEK_SET) != here_)) {
      throw Error::system("standard output", "cannot take back what was written", errno);
    }
  }

 private:
  explicit Retractable(off_t here) noexcept : here_(here) {}
  off_t here_;
};

/// Memory of our own that is not written to before it is needed, in large pages where there are
/// any: a frame of 64 MiB takes 32 page faults instead of 16,384.
class PrivateFrame {
 public:
  explicit PrivateFrame(std::size_t size)
      : size_(size),
        data_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (data_ == MAP_FAILED) {
      throw std::bad_alloc();
    }
    ::madvise(data_, size, MADV_HUGEPAGE);
  }
  ~PrivateFrame() { ::munmap(data_, size_); }
  PrivateFrame(const PrivateFrame&) = delete;
  PrivateFrame(PrivateFrame&&) = delete;
  PrivateFrame& operator=(const PrivateFrame&) = delete;
  PrivateFrame& operator=(PrivateFrame&&) = delete;
  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    return {static_cast<std::byte*>(data_), size_};
  }

 private:
  std::size_t size_;
  void* data_;
};

/// Hands the pages to a pipe, which holds them until they are read, even once we have ended: so the
/// memory must not be written to again. False where standard output is no pipe, and nothing was
/// written.
bool give_to_pipe(std::span<const std::byte> bytes) {
  const int capacity = ::fcntl(STDOUT_FILENO, F_GETPIPE_SZ);
  constexpr int wanted = 1 << 20;  // what the kernel lets any user have
  constexpr std::size_t worth_it = 256 << 10;
  if (capacity < 0 || bytes.size() < worth_it) {
    return false;
  }
  if (capacity < wanted) {
    ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, wanted);  // if not, the reader wakes us more often
  }
  while (!bytes.empty()) {
    // vmsplice only reads; its prototype serves both directions.
    iovec pages{const_cast<std::byte*>(bytes.data()),
                bytes.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    const ssize_t given = ::vmsplice(STDOUT_FILENO, &pages, 1, 0);
    throw_if_interrupted();
    if (given < 0 && errno != EINTR) {
      write_stdout(bytes);  // which says what is wrong, if it is
      return true;
    }
    bytes = bytes.subspan(given > 0 ? static_cast<std::size_t>(given) : 0);
  }
  return true;
}

void write_copy(std::span<const std::byte> bytes) {
  if (!give_to_pipe(bytes)) {
    write_stdout(bytes);
  }
}

void copy_and_write(const Stream& stream, Deadline deadline) {
  const PrivateFrame copy(stream.format().bytes());
  stream.require_whole(stream.snapshot(copy.bytes(), deadline));
  write_copy(copy.bytes());
}

}  // namespace

void write_whole_frame(const Stream& stream, Deadline deadline) {
  const auto retractable = Retractable::stdout_here();
  if (!retractable) {
    copy_and_write(stream, deadline);
    return;
  }
  // Once. A file takes longer to write than memory, longer perhaps than a writer pauses: the second
  // time it is copied first.
  bool first = true;
  std::optional<PrivateFrame> copy;
  try {
    const Snapshot snapshot = stream.snapshot(
        [&](std::span<const std::byte> frame) {
          if (std::exchange(first, false)) {
            write_stdout(frame);
            return;
          }
          if (!copy) {
            retractable->take_back();
            copy.emplace(frame.size());
          }
          std::memcpy(copy->bytes().data(), frame.data(), frame.size());
        },
        deadline);
    stream.require_whole(snapshot);
  } catch (...) {
    if (!copy) {
      retractable->take_back();
    }
    stream.require_intact();  // the system says "Bad address" of a file that was cut short
    throw;
  }
  if (copy) {
    write_stdout(copy->bytes());
  }
}

}  // namespace shmim::tools
