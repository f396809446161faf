#include <cerrno>
#include <utility>

#include <fcntl.h>

#include "segment/proc_path.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/segment.hpp"

namespace shmim {
namespace {

// Locks of the open file lie far behind the end of any, where they may: each kind in a stretch of
// its own.

/// Of the writer's claim. It is as long as the PID of its holder, the one number that the kernel
/// tells whoever meets the lock.
constexpr off_t claim_begin = off_t{1} << 61;
/// More than any PID.
constexpr off_t stretch = off_t{1} << 32;
/// Of processes that are announced, a byte for each PID. Shared: in another namespace another
/// process may have the same.
constexpr off_t processes_begin = claim_begin + stretch;

/// Of a claim to a place, as long as the PID of its holder too.
constexpr off_t begin_of_place(unsigned place) noexcept {
  return processes_begin + (1 + static_cast<off_t>(place)) * stretch;
}

struct flock lock_of(short type, off_t begin, off_t bytes) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = begin;
  lock.l_len = bytes;
  return lock;
}

/// The lock of another open file that one of ours at that byte would meet; of type F_UNLCK if none.
struct flock lock_in_the_way(const FileDescriptor& file, off_t byte) noexcept {
  struct flock lock = lock_of(F_WRLCK, byte, 1);
  if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) {
    lock.l_type = F_UNLCK;
  }
  return lock;
}

/// PID of who holds a lock that is as long as that, from where it begins; 0 if nobody does.
pid_t holder_of_lock(const FileDescriptor& file, off_t begin) noexcept {
  const struct flock found = lock_in_the_way(file, begin);
  return found.l_type == F_UNLCK ? 0 : static_cast<pid_t>(found.l_len);
}

}  // namespace

Claim::Claim(FileDescriptor file) noexcept : file_(std::move(file)), pid_(this_process()) {}

Claim::~Claim() {
  // Unlocked aloud, unless we are a forked child, whose the lock is not: one may still have the
  // file open, and would keep the lock.
  if (file_.get() >= 0 && pid_ == this_process()) {
    struct flock all = lock_of(F_UNLCK, claim_begin, 0);
    ::fcntl(file_.get(), F_OFD_SETLK, &all);
  }
}

std::optional<Claim> Segment::lock(off_t begin, off_t bytes, Sharing sharing) const {
  // Opened again: a lock belongs to the open file, and two claims by way of one would be one.
  FileDescriptor file(::open(path_of(file_).c_str(), (writable_ ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (file.get() < 0) {
    throw Error::system("", "cannot open the file to claim it", errno);
  }
  struct flock lock = lock_of(sharing == Sharing::none ? F_WRLCK : F_RDLCK, begin, bytes);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) {
    return Claim(std::move(file));
  }
  if (errno == EAGAIN || errno == EACCES) {
    return std::nullopt;
  }
  throw Error::system("", "cannot lock the file", errno);
}

std::optional<Claim> Segment::claim() const {
  return lock(claim_begin, this_process(), Sharing::none);
}

std::optional<Claim> Segment::claim_place(unsigned place) const {
  return lock(begin_of_place(place), this_process(), Sharing::none);
}

Claim Segment::announce() const {
  return *lock(processes_begin + this_process(), 1, Sharing::with_others);
}

// What our own process holds shows too: it is a lock of another open file, see lock().

pid_t Segment::claimed_by() const noexcept { return holder_of_lock(file_, claim_begin); }

pid_t Segment::place_claimed_by(unsigned place) const noexcept {
  return holder_of_lock(file_, begin_of_place(place));
}

bool Segment::is_announced(pid_t pid) const noexcept {
  return pid > 0 && lock_in_the_way(file_, processes_begin + pid).l_type != F_UNLCK;
}

}  // namespace shmim
