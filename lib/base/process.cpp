#include "shmim/process.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "base/process_stat.hpp"
#include "base/read_text.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

std::atomic<pid_t> own_pid{0};

void remember_pid() noexcept { own_pid.store(getpid(), std::memory_order_relaxed); }

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) noexcept {
  // pid (command) state ppid pgrp session tty tpgid flags: the command may hold any character,
  // parentheses too.
  std::size_t at = line.rfind(") ");
  if (at == line.npos || at + 2 == line.size()) {
    return std::nullopt;
  }
  const char state = line[at + 2];
  for (int field = 0; field < 7; ++field) {
    at = line.find(' ', at + 1);
    if (at == line.npos) {
      return std::nullopt;
    }
  }
  constexpr unsigned kernel_thread = 0x00200000;  // PF_KTHREAD of the kernel
  const std::string_view rest = line.substr(at + 1);
  const unsigned flags = parse_number<unsigned>(rest.substr(0, rest.find(' '))).value_or(0);
  return ProcessStat{state, (flags & kernel_thread) != 0};
}

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
    const auto stat = parse_process_stat(read_text(fmt::format("/proc/{}/stat", pid)).value_or(""));
    return !stat || !(stat->has_ended() || stat->is_kernel_thread);
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
