#include "common/io/stdout.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <poll.h>
#include <shmim/error.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

bool is_stdout_gone() noexcept {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

/// `error_number` is of the writing; 0 is none.
void throw_if_failed(int error_number) {
  switch (error_number) {
    case 0:
      return;
    case EINTR:
      throw Interrupted{};
    case EPIPE:
      throw BrokenPipe{};
    default:
      throw Error(Problem::failed, "standard output",
                  fmt::format("cannot write: {}", std::generic_category().message(error_number)));
  }
}

}  // namespace

void write_stdout(std::span<const std::byte> bytes) {
  throw_if_failed(write_all(STDOUT_FILENO, bytes));
}

void write_stdout(std::string_view text, std::span<const std::byte> bytes) {
  throw_if_failed(write_all(STDOUT_FILENO, std::as_bytes(std::span(text)), bytes));
}

bool is_writing_over() noexcept { return interrupted() || is_stdout_gone(); }

void throw_if_writing_is_over() {
  throw_if_interrupted();
  if (is_stdout_gone()) {
    throw BrokenPipe{};
  }
}

TextSize size_of_stdout() noexcept {
  constexpr TextSize usual;
  winsize size{};
  static_cast<void>(::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size));
  return {size.ws_col > 0 ? size.ws_col : usual.columns,
          size.ws_row > 0 ? size.ws_row : usual.rows};
}

void write_stdout(std::string_view text) { write_stdout(std::as_bytes(std::span(text))); }

}  // namespace shmim::tools
