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

}  // namespace

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

BareMapping Segment::release() && noexcept {
  forget(std::exchange(mapping_, nullptr));
  return {file_.release(), std::exchange(data_, nullptr), std::exchange(size_, 0)};
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
      throw Error(Problem::no_directory, subject, "is not a directory");
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

Segment Segment::duplicate() const {
  FileDescriptor file(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (file.get() < 0) {
    throw Error::system("", "cannot duplicate a descriptor", errno);
  }
  return {std::move(file), writable_, ""};
}

}  // namespace shmim
