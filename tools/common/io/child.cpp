#include "common/io/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <shmim/error.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/interrupt.hpp"
#include "common/io/pipe.hpp"
#include "common/io/pointers.hpp"

namespace shmim::tools {
namespace {

/// In the new process, of which nothing but this thread is left.
[[noreturn]] void become(char* const* arguments, pid_t parent, int from, int to, int why) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(from, to);
  if (::getppid() == parent) {
    ::execvp(arguments[0], arguments);
  }
  const int error_number = errno;
  static_cast<void>(::write(why, &error_number, sizeof error_number) > 0);
  std::_Exit(127);
}

}  // namespace

Child::Child(std::vector<std::string> words, Reads reads) {
  const std::vector<char*> arguments = pointers_to(words);
  Pipe output = make_pipe();
  Pipe failure = make_pipe();
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(arguments.data(), self, output.writing.get(),
           reads == Reads::output ? STDOUT_FILENO : STDERR_FILENO, failure.writing.get());
  }
  int error_number = errno;
  pid_ = pid;
  failure.writing = {};
  output.writing = {};
  if (pid < 0 ||
      ::read(failure.reading.get(), &error_number, sizeof error_number) == sizeof error_number) {
    static_cast<void>(wait());
    throw Error::system(words.front(), "cannot be started", error_number);
  }
  from_ = std::move(output.reading);
}

Child::~Child() {
  terminate();
  static_cast<void>(wait());
}

std::optional<std::string> Child::line() {
  for (;;) {
    if (const auto end = read_.find('\n'); end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> part{};
    const auto count = ::read(from_.get(), part.data(), part.size());
    if (count > 0) {
      read_.append(part.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return read_.empty() ? std::nullopt : std::optional(std::exchange(read_, {}));
    } else {
      throw_if_interrupted();
    }
  }
}

void Child::terminate() const noexcept {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
  }
}

int Child::wait() noexcept {
  int status = 0;
  if (pid_ <= 0) {
    return 0;
  }
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  constexpr int of_signal = 128;
  return WIFSIGNALED(status) ? of_signal + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace shmim::tools
