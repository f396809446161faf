#include "common/io/input.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools {

Input::Input(const std::string& file)
    : name_(file == "-" ? "standard input" : file),
      file_(file == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                        : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
      begin_(file_.get() < 0 ? 0 : ::lseek(file_.get(), 0, SEEK_CUR)) {
  struct stat status {};
  if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) {
    throw Error(Problem::failed, name_,
                fmt::format("cannot open: {}", std::generic_category().message(errno)));
  }
  if (S_ISREG(status.st_mode) && begin_ >= 0) {
    size_ = static_cast<std::uint64_t>(std::max<std::int64_t>(status.st_size - begin_, 0));
  }
}

Input::~Input() {
  if (size_ && !ahead().empty()) {
    ::lseek(file_.get(), -static_cast<off_t>(ahead().size()), SEEK_CUR);
  }
}

std::span<const std::byte> Input::ahead() const noexcept {
  return std::span(ahead_).subspan(taken_);
}

std::string_view Input::text_ahead() const noexcept {
  return {reinterpret_cast<const char*>(ahead().data()), ahead().size()};
}

bool Input::read_ahead(std::size_t most) {
  ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  const std::size_t before = ahead_.size();
  ahead_.resize(before + most);
  std::size_t got = 0;
  try {
    got = tools::read_some(file_.get(), std::span(ahead_).subspan(before), name_);
  } catch (...) {
    ahead_.resize(before);
    throw;
  }
  ahead_.resize(before + got);
  return got > 0;
}

std::span<const std::byte> Input::peek(std::size_t size) {
  while (ahead().size() < size && read_ahead(size - ahead().size())) {
  }
  return ahead();
}

void Input::skip(std::size_t size) { taken_ += std::min(size, ahead().size()); }

void Input::wait() const {
  if (ahead().empty()) {
    await_readable(file_.get());
    throw_if_interrupted();
  }
}

std::size_t Input::read_some(std::span<std::byte> bytes) {
  const std::size_t taken = std::min(ahead().size(), bytes.size());
  if (taken == 0) {
    return tools::read_some(file_.get(), bytes, name_);
  }
  std::copy_n(ahead().begin(), taken, bytes.begin());
  skip(taken);
  return taken;
}

std::size_t Input::read(std::span<std::byte> bytes) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const std::size_t got = read_some(bytes.subspan(filled));
    if (got == 0) {
      break;
    }
    filled += got;
  }
  return filled;
}

bool Input::rewind() {
  if (!size_ || ::lseek(file_.get(), begin_, SEEK_SET) < 0) {
    return false;
  }
  ahead_.clear();
  taken_ = 0;
  return true;
}

}  // namespace shmim::tools
