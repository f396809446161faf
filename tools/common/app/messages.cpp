#include "common/app/messages.hpp"

#include <span>

#include <fmt/format.h>
#include <shmim/text.hpp>
#include <unistd.h>

#include "common/io/descriptor.hpp"

namespace shmim::tools {
namespace {

void write_line(const std::string& line) {
  const std::string text = line + '\n';
  // What cannot be said changes nothing.
  static_cast<void>(write_all(STDERR_FILENO, std::as_bytes(std::span(text))));
}

}  // namespace

void Messages::error(std::string_view message) const {
  write_line(fmt::format("shmim-{}: {}", tool_, printable(message)));
}

Exit Messages::usage(std::string_view message) const {
  error(message);
  write_line(fmt::format("Try 'shmim-{} --help' for more information.", tool_));
  return Exit::usage;
}

void Messages::hint(std::string_view command) {
  write_line(fmt::format("try: {}", printable(command)));
}

void Messages::note(std::string_view subject, std::string_view message) const {
  if (!quiet_) {
    error(fmt::format("{}: {}", subject, message));
  }
}

void Messages::detail(std::string_view subject, std::string_view message) const {
  if (verbose_ && !quiet_) {
    error(fmt::format("{}: {}", subject, message));
  }
}

}  // namespace shmim::tools
