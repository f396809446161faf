#include "shmim/segment.hpp"

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment/mapping.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/text.hpp"

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

/// Name of an open file for calls that take a path, whether it has one in a directory or not.
std::string path_of(const FileDescriptor& file) {
  return fmt::format("/proc/self/fd/{}", file.get());
}

[[noreturn]] void throw_cannot_open(const std::filesystem::path& path, int error_number) {
  const std::string subject = path.string();
  struct stat link {};
  if (error_number == ENOENT && lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
    std::error_code ignored;
    throw Error(Problem::dangling_link, subject,
                fmt::format("is a link to {}, which is not there",
                            printable(std::filesystem::read_symlink(path, ignored).string())));
  }
  throw Error::system(subject, "cannot open", error_number);
}

FileDescriptor open_file(const std::filesystem::path& path, Access access, bool& writable) {
  writable = access != Access::read;
  int descriptor = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0 && access == Access::best && (errno == EACCES || errno == EROFS)) {
    writable = false;
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  if (descriptor < 0) {
    throw_cannot_open(path, errno);
  }
  return FileDescriptor(descriptor);
}

/// Held while a name is taken from one file and given to another, or to none: between the look at
/// the file that has it and the change, nobody who asks for this lock changes it too.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory)
      : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (directory_.get() < 0) {
      throw Error::system(directory.string(), "cannot open the directory", errno);
    }
    // Bounded, since anybody who may read the directory may hold the lock for as long as they like.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        throw Error::system(directory.string(), "cannot lock the directory", errno);
      }
      if (std::chrono::steady_clock::now() > end) {
        throw Error(Problem::claimed, directory.string(),
                    "another process has held the lock of the directory for 5 s");
      }
      std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
  }

 private:
  FileDescriptor directory_;
};

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

constexpr std::string_view hidden_suffix = ".shmim-new";

/// Where a file waits, for the blink of an eye, to be renamed to `path`. Hidden, so that nobody
/// takes it for a stream.
std::filesystem::path hidden_name(const std::filesystem::path& path) {
  return directory_of(path) / fmt::format(".{}{}", path.filename().string(), hidden_suffix);
}

/// Removes the hidden names in a directory whose lock is held: only its holder may have one, so
/// each was left by a process that was killed.
void remove_hidden_names(const std::filesystem::path& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') && name.ends_with(hidden_suffix)) {
      ::unlink(entry->path().c_str());
    }
  }
}

}  // namespace

std::optional<Identity> identity_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return Identity{status.st_dev, status.st_ino};
}

Claim::~Claim() {
  // Unlocked aloud: a forked child may still have the file open, and would keep the lock.
  if (file_.get() >= 0) {
    struct flock lock = claim_lock(0);
    lock.l_type = F_UNLCK;
    ::fcntl(file_.get(), F_OFD_SETLK, &lock);
  }
}

Segment::Segment(FileDescriptor file, bool writable, const std::string& subject)
    : file_(std::move(file)), writable_(writable) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) {
    throw Error::system(subject, "cannot look at the file", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(Problem::failed, subject, "is not a regular file, so no stream");
  }
  if (status.st_size == 0) {
    throw Error(Problem::too_short, subject, "is empty, so no stream (yet)");
  }
  identity_ = {status.st_dev, status.st_ino};
  size_ = static_cast<std::size_t>(status.st_size);
  void* data = ::mmap(nullptr, size_, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                      file_.get(), 0);
  if (data == MAP_FAILED) {
    throw Error::system(subject, fmt::format("cannot map {} bytes", size_), errno);
  }
  data_ = static_cast<std::byte*>(data);
  mapping_ = remember(data_, size_);
}

Segment::Segment(Segment&& other) noexcept
    : file_(std::move(other.file_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      identity_(other.identity_),
      writable_(other.writable_) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  file_ = std::move(other.file_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapping_, other.mapping_);
  identity_ = other.identity_;
  writable_ = other.writable_;
  return *this;
}

Segment::~Segment() {
  if (data_ != nullptr) {
    forget(mapping_);
    ::munmap(data_, size_);
  }
}

bool Segment::read_once(std::span<const std::byte> part, std::byte* to) const noexcept {
  while (!part.empty()) {
    const ssize_t got =
        ::pread(file_.get(), to, part.size(), static_cast<off_t>(part.data() - data_));
    if (got <= 0) {
      return false;
    }
    to += got;
    part = part.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool Segment::is_intact() const noexcept {
  struct stat status {};
  return !is_lost() && ::fstat(file_.get(), &status) == 0 &&
         static_cast<std::size_t>(status.st_size) >= size_;
}

bool Segment::is_lost() const noexcept { return shmim::is_lost(mapping_); }

Segment Segment::open(const std::filesystem::path& path, Access access) {
  bool writable = false;
  FileDescriptor file = open_file(path, access, writable);
  return {std::move(file), writable, path.string()};
}

Segment Segment::draft(const std::filesystem::path& directory, std::size_t bytes,
                       std::optional<mode_t> mode) {
  const std::string subject = directory.string();
  FileDescriptor file(
      ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode.value_or(0666)));
  if (file.get() < 0) {
    if (errno == EOPNOTSUPP || errno == EISDIR) {
      throw Error(Problem::failed, subject, "its file system has no unnamed files (O_TMPFILE)");
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      throw Error(Problem::no_directory, subject, "is no directory");
    }
    throw Error::system(subject, "cannot make a file there", errno);
  }
  if (mode && ::fchmod(file.get(), *mode) != 0) {
    throw Error::system(subject, "cannot set the mode", errno);
  }
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); error != 0) {
    throw Error::system(subject, fmt::format("cannot reserve {} bytes", bytes), error);
  }
  return {std::move(file), true, subject};
}

Segment Segment::local(const std::string& name, std::size_t bytes) {
  FileDescriptor file(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (file.get() < 0) {
    throw Error::system(name, "cannot make local memory", errno);
  }
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); error != 0) {
    throw Error::system(name, fmt::format("cannot reserve {} bytes", bytes), error);
  }
  return {std::move(file), true, name};
}

bool Segment::publish(const std::filesystem::path& path) const {
  if (::linkat(AT_FDCWD, path_of(file_).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  throw Error::system(path.string(), "cannot give the file its name", errno);
}

std::optional<uid_t> Segment::publish_over(const std::filesystem::path& path) const {
  // A link cannot be made over a name, a rename can: so the file gets a hidden name first.
  const std::filesystem::path hidden = hidden_name(path);
  const DirectoryLock lock(directory_of(path));
  remove_hidden_names(directory_of(path));
  if (!publish(hidden)) {
    throw Error(Problem::exists, hidden.string(), "is in the way and cannot be removed");
  }
  struct stat replaced {};
  const bool was_there = ::lstat(path.c_str(), &replaced) == 0;
  if (::rename(hidden.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(hidden.c_str());
    throw Error::system(path.string(), "cannot replace the file", error);
  }
  return was_there ? std::optional(replaced.st_uid) : std::nullopt;
}

Segment Segment::duplicate() const {
  FileDescriptor file(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (file.get() < 0) {
    throw Error::system("", "cannot duplicate a descriptor", errno);
  }
  return {std::move(file), writable_, ""};
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

Linking make_link(const std::filesystem::path& path, const std::filesystem::path& target) {
  if (::symlink(target.c_str(), path.c_str()) == 0) {
    return Linking::made;
  }
  if (errno != EEXIST) {
    throw Error::system(path.string(), "cannot make the link", errno);
  }
  const DirectoryLock lock(directory_of(path));
  remove_hidden_names(directory_of(path));
  std::error_code not_a_link;
  const std::filesystem::path present = std::filesystem::read_symlink(path, not_a_link);
  if (not_a_link) {
    throw Error(Problem::exists, path.string(), "is no link, and is left alone");
  }
  if (present == target) {
    return Linking::kept;
  }
  const std::filesystem::path hidden = hidden_name(path);
  if (::symlink(target.c_str(), hidden.c_str()) != 0 ||
      ::rename(hidden.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(hidden.c_str());
    throw Error::system(path.string(), "cannot change the link", error);
  }
  return Linking::changed;
}

bool remove_if_same(const std::filesystem::path& path, Identity expected) {
  const DirectoryLock lock(directory_of(path));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return false;
    }
    throw Error::system(path.string(), "cannot look at the file", errno);
  }
  if (Identity{status.st_dev, status.st_ino} != expected) {
    return false;
  }
  if (::unlink(path.c_str()) != 0) {
    throw Error::system(path.string(), "cannot remove the file", errno);
  }
  ::unlink(
      hidden_name(path).c_str());  // left by a process that was killed while replacing, if at all
  return true;
}

}  // namespace shmim
