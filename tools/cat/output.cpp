#include "cat/output.hpp"

#include <cerrno>
#include <new>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools {
namespace {

/// True where nobody will ever read what is written.
bool stdout_is_discarded() {
  constexpr unsigned null_major = 1;
  constexpr unsigned null_minor = 3;
  struct stat status {};
  return ::fstat(STDOUT_FILENO, &status) == 0 && S_ISCHR(status.st_mode) &&
         status.st_rdev == makedev(null_major, null_minor);
}

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
/// memory must not be written to again. False where standard output is not a pipe, and nothing was
/// written.
bool give_to_pipe(std::span<const std::byte> bytes) {
  constexpr std::size_t worth_it = 256 << 10;
  if (bytes.size() < worth_it || ::fcntl(STDOUT_FILENO, F_GETPIPE_SZ) < 0) {
    return false;
  }
  widen_pipe(STDOUT_FILENO, bytes.size());
  while (!bytes.empty()) {
    // vmsplice only reads; its prototype serves both directions.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    iovec pages{const_cast<std::byte*>(bytes.data()), bytes.size()};
    const ssize_t given = ::vmsplice(STDOUT_FILENO, &pages, 1, 0);
    throw_if_interrupted();
    if (given < 0 && errno == EAGAIN) {
      await_writable(STDOUT_FILENO);
    } else if (given < 0 && errno != EINTR) {
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

}  // namespace

void write_whole_frame(const Stream& stream, Deadline deadline) {
  if (stdout_is_discarded()) {
    const auto write = [](std::span<const std::byte> frame) { write_stdout(frame); };
    stream.require_whole(stream.snapshot(write, deadline));
    return;
  }
  // A copy first, everywhere else: what is written cannot be taken back, or is seen before it is.
  const PrivateFrame copy(stream.format().bytes());
  stream.require_whole(stream.snapshot_once(copy.bytes(), deadline));
  write_copy(copy.bytes());
}

}  // namespace shmim::tools
