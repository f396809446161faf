#include "common/io/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <shmim/error.hpp>
#include <sys/uio.h>
#include <unistd.h>

#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

void await(int descriptor, short event) noexcept {
  pollfd wanted{descriptor, event, 0};
  ::poll(&wanted, 1, -1);
}

}  // namespace

void await_readable(int descriptor) noexcept { await(descriptor, POLLIN); }
void await_writable(int descriptor) noexcept { await(descriptor, POLLOUT); }

int write_all(int descriptor, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN && !interrupted()) {
      await_writable(descriptor);
    } else if (errno != EINTR && errno != EAGAIN) {
      return errno;
    }
    if (!bytes.empty() && interrupted()) {
      return EINTR;
    }
  }
  return 0;
}

ssize_t write_some(int descriptor, std::span<const std::byte> first,
                   std::span<const std::byte> second) noexcept {
  // writev only reads; its prototype serves both directions.
  const auto part = [](std::span<const std::byte> bytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    return iovec{const_cast<std::byte*>(bytes.data()), bytes.size()};
  };
  const std::array parts{part(first), part(second)};
  return ::writev(descriptor, parts.data(), parts.size());
}

int write_all(int descriptor, std::span<const std::byte> first,
              std::span<const std::byte> second) noexcept {
  const ssize_t written = write_some(descriptor, first, second);
  // What it did not take, or why, the ordinary way tells.
  const auto done = static_cast<std::size_t>(std::max<ssize_t>(written, 0));
  if (const int error = write_all(descriptor, first.subspan(std::min(done, first.size())))) {
    return error;
  }
  return write_all(descriptor, second.subspan(done > first.size() ? done - first.size() : 0));
}

std::size_t read_some(int descriptor, std::span<std::byte> bytes, const std::string& subject) {
  while (true) {
    const ssize_t got = ::read(descriptor, bytes.data(), bytes.size());
    const int error_number = errno;
    throw_if_interrupted();
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (error_number == EAGAIN) {
      await_readable(descriptor);
    } else if (error_number != EINTR) {
      throw Error::system(subject, "cannot read", error_number);
    }
  }
}

}  // namespace shmim::tools
