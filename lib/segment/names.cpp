// Names in a directory: given to segments, taken away, turned from one file to another.

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment/proc_path.hpp"
#include "shmim/error.hpp"
#include "shmim/segment.hpp"

namespace shmim {
namespace {

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

LinkOutcome make_link(const std::filesystem::path& path, const std::filesystem::path& target) {
  if (::symlink(target.c_str(), path.c_str()) == 0) {
    return LinkOutcome::made;
  }
  if (errno != EEXIST) {
    throw Error::system(path.string(), "cannot make the link", errno);
  }
  const DirectoryLock lock(directory_of(path));
  remove_hidden_names(directory_of(path));
  std::error_code not_a_link;
  const std::filesystem::path present = std::filesystem::read_symlink(path, not_a_link);
  if (not_a_link) {
    throw Error(Problem::exists, path.string(), "is not a link, and is left alone");
  }
  if (present == target) {
    return LinkOutcome::kept;
  }
  const std::filesystem::path hidden = hidden_name(path);
  if (::symlink(target.c_str(), hidden.c_str()) != 0 ||
      ::rename(hidden.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(hidden.c_str());
    throw Error::system(path.string(), "cannot change the link", error);
  }
  return LinkOutcome::changed;
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
