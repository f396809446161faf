#include "shmim/process.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "base/read_text.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

std::atomic<pid_t> own_pid{0};

void remember_pid() noexcept { own_pid.store(getpid(), std::memory_order_relaxed); }

/// State letter of a process from /proc/PID/stat; 0 where it cannot be read.
char state_of(pid_t pid) {
  const std::string line = read_text(fmt::format("/proc/{}/stat", pid)).value_or("");
  // The command stands in parentheses and may hold any character, parentheses too.
  const auto end = line.rfind(')');
  return end == std::string::npos || end + 2 >= line.size() ? '\0' : line[end + 2];
}

}  // namespace

pid_t this_process() noexcept {
  const pid_t pid = own_pid.load(std::memory_order_relaxed);
  if (pid != 0) {
    return pid;
  }
  static const int registered = pthread_atfork(nullptr, nullptr, remember_pid);
  static_cast<void>(registered);
  remember_pid();
  return own_pid.load(std::memory_order_relaxed);
}

bool is_alive(pid_t pid) noexcept {
  if (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH)) {
    return false;
  }
  try {
    const char state = state_of(pid);
    return state != 'Z' && state != 'X';
  } catch (...) {
    return true;
  }
}

std::string command_of(pid_t pid) {
  const std::string line = read_text(fmt::format("/proc/{}/comm", pid)).value_or("");
  return line.substr(0, line.find('\n'));
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string describe_process(pid_t pid) {
  const std::string what = is_alive(pid) ? printable(command_of(pid)) : "dead";
  return what.empty() ? std::to_string(pid) : fmt::format("{} ({})", pid, what);
}

std::string boot_id() {
  const std::string line = read_text("/proc/sys/kernel/random/boot_id").value_or("");
  return line.substr(0, line.find('\n'));
}

}  // namespace shmim
