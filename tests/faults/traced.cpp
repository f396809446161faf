#include "traced.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <span>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.hpp"

namespace shmim::faults {
namespace {

/// After so long without an event the program is taken to wait for something.
constexpr std::chrono::milliseconds blocked_after{60};

void close_output() {
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
}

}  // namespace

Traced::Traced(const std::filesystem::path& directory, const std::vector<std::string>& command)
    : pid_(::fork()) {
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot fork");
  }
  if (pid_ == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // which cannot be done under ptrace
    close_output();
    execute(directory, command);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  if (!WIFSTOPPED(status)) {
    has_ended_ = true;
    throw std::system_error(EPERM, std::generic_category(), "ptrace");
  }
  ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
}

Traced::~Traced() { kill(); }

bool Traced::is_permitted() {
  Child child([] {
    const bool is_traced = ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
    ::_exit(is_traced ? 0 : 1);
  });
  return child.wait() == 0;
}

bool Traced::resume(int request, const std::function<void()>& while_blocked) {
  using std::chrono::steady_clock;
  int signal = 0;
  std::function<void()> poke = while_blocked;
  while (!has_ended_) {
    ::ptrace(static_cast<__ptrace_request>(request), pid_, nullptr, signal);
    const auto begin = steady_clock::now();
    int status = 0;
    while (::waitpid(pid_, &status, poke ? WNOHANG : 0) == 0) {
      if (steady_clock::now() - begin > blocked_after) {
        std::exchange(poke, {})();
      } else {
        std::this_thread::yield();
      }
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      has_ended_ = true;
      exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return false;
    }
    const int stopped_by = WSTOPSIG(status);
    if ((stopped_by & ~0x80) == SIGTRAP) {
      return true;
    }
    signal = stopped_by;  // one of its own: it gets it
  }
  return false;
}

bool Traced::to_next_system_call(const std::function<void()>& while_blocked) {
  return resume(PTRACE_SYSCALL, while_blocked);
}

bool Traced::step(const std::function<void()>& while_blocked) {
  return resume(PTRACE_SINGLESTEP, while_blocked);
}

void Traced::kill() {
  if (!has_ended_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) == pid_ && !WIFSIGNALED(status) && !WIFEXITED(status)) {
    }
    has_ended_ = true;
    exit_status_ = 128 + SIGKILL;
  }
}

bool Traced::is_entering_call_on(const std::filesystem::path& directory) const {
  __ptrace_syscall_info info{};
  if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof(info), &info) <= 0 ||
      info.op != PTRACE_SYSCALL_INFO_ENTRY) {
    return false;
  }
  std::string text(directory.native().size(), '\0');
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): `op` says which it is
  const std::span<const __uint64_t> arguments(info.entry.args);
  return std::any_of(arguments.begin(), arguments.end(), [&](std::uint64_t address) {
    iovec here{text.data(), text.size()};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the other process
    iovec there{reinterpret_cast<void*>(address), text.size()};
    return ::process_vm_readv(pid_, &here, 1, &there, 1, 0) == static_cast<ssize_t>(text.size()) &&
           text == directory.native();
  });
}

View::~View() {
  for (const auto& entry : files_) {
    const File& file = entry.second;
    ::munmap(const_cast<std::byte*>(file.data),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
             file.copy.size());
  }
}

void View::update_names() {
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const int descriptor = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor >= 0 && ::fstat(descriptor, &status) == 0 && !files_.contains(status.st_ino)) {
      const auto size = static_cast<std::size_t>(status.st_size);
      void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
      if (data != MAP_FAILED) {
        const auto* bytes = static_cast<const std::byte*>(data);
        files_[status.st_ino] = {bytes, {bytes, bytes + size}};
      }
    }
    ::close(descriptor);
  }
}

bool View::content_changed() {
  bool has_changed = false;
  for (auto& entry : files_) {
    File& file = entry.second;
    if (std::memcmp(file.data, file.copy.data(), file.copy.size()) != 0) {
      std::memcpy(file.copy.data(), file.data, file.copy.size());
      has_changed = true;
    }
  }
  return has_changed;
}

}  // namespace shmim::faults
