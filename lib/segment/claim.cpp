#include <cerrno>
#include <utility>

#include <fcntl.h>

#include "segment/proc_path.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/segment.hpp"

namespace shmim {
namespace {

/// Where a claim's lock begins: far behind the end of any file, which locks may lie beyond. It is
/// as long as the PID of its holder, the one number that the kernel tells whoever meets the lock.
constexpr off_t claim_begin = off_t{1} << 61;

struct flock claim_lock(pid_t holder) noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = claim_begin;
  lock.l_len = holder;
  return lock;
}

}  // namespace

Claim::~Claim() {
  // Unlocked aloud: a forked child may still have the file open, and would keep the lock.
  if (file_.get() >= 0) {
    struct flock lock = claim_lock(0);
    lock.l_type = F_UNLCK;
    ::fcntl(file_.get(), F_OFD_SETLK, &lock);
  }
}

std::optional<Claim> Segment::claim() const {
  // Opened again: a lock belongs to the open file, and two claims by way of one would be one.
  FileDescriptor file(::open(path_of(file_).c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    throw Error::system("", "cannot open the file to claim it", errno);
  }
  struct flock lock = claim_lock(this_process());
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) {
    return Claim(std::move(file));
  }
  if (errno == EAGAIN || errno == EACCES) {
    return std::nullopt;
  }
  throw Error::system("", "cannot lock the file", errno);
}

pid_t Segment::claimed_by() const noexcept {
  // A claim of our own shows too: it is a lock of another open file, see claim().
  struct flock lock = claim_lock(1);
  lock.l_type = F_RDLCK;
  if (::fcntl(file_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) {
    return 0;
  }
  return static_cast<pid_t>(lock.l_len);
}

}  // namespace shmim
