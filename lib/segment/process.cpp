#include "shmim/process.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

namespace shmim {
namespace {

std::atomic<pid_t> own_pid{0};

void remember_pid() noexcept { own_pid.store(getpid(), std::memory_order_relaxed); }

/// State letter of a process from /proc/PID/stat; 0 where it cannot be read.
char state_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
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
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string command;
  std::getline(file, command);
  return command;
}

std::string describe_process(pid_t pid) {
  return fmt::format("{} ({})", pid, is_alive(pid) ? printable(command_of(pid)) : "dead");
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += character;
    }
  }
  return out;
}

}  // namespace shmim
