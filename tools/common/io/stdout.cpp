#include "common/io/stdout.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <shmim/error.hpp>
#include <unistd.h>

#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools {

void write_stdout(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (!bytes.empty()) {
      throw_if_interrupted();
    }
    if (written >= 0) {
      continue;
    }
    if (errno == EPIPE) {
      throw BrokenPipe{};
    }
    if (errno != EINTR) {
      throw Error(Problem::failed, "standard output",
                  fmt::format("cannot write: {}", std::generic_category().message(errno)));
    }
  }
}

void write_stdout(std::string_view text) { write_stdout(std::as_bytes(std::span(text))); }

}  // namespace shmim::tools
