#include "bench/process.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <linux/futex.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "common/io/scheduling.hpp"

namespace shmim::tools::bench {
namespace {

[[noreturn]] void throw_failed(const std::string& subject, const std::string& what) {
  throw Error(Problem::failed, subject, what);
}

std::vector<char*> arguments_of(const Command& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command.words) {
    // The callee's prototype is older than const; it writes to none of them.
    arguments.push_back(
        const_cast<char*>(word.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
  arguments.push_back(nullptr);
  return arguments;
}

class FileActions {
 public:
  FileActions(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    if (input >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    }
    if (output >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    }
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions(FileActions&&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  FileActions& operator=(FileActions&&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

pid_t start(const Command& command) {
  const FileActions actions(command.input, command.output);
  const std::vector<char*> arguments = arguments_of(command);
  pid_t pid = 0;
  if (const int error = posix_spawn(&pid, command.words.front().c_str(), actions.get(), nullptr,
                                    arguments.data(), environ);
      error != 0) {
    throw Error::system(command.words.front(), "cannot start it", error);
  }
  return pid;
}

double nanoseconds_in(const timeval& time) {
  return (static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec)) * 1e3;
}

/// Waits for its end; kills it if we are to end first. Gives what it used.
Ended await_end(pid_t pid, const std::string& name) {
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0) {
    if (interrupted()) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      throw Interrupted{};
    }
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw_if_interrupted();
    throw_failed(name, WIFEXITED(status) ? fmt::format("exited with {}", WEXITSTATUS(status))
                                         : fmt::format("ended by signal {}", WTERMSIG(status)));
  }
  Ended ended;
  ended.processor_nanoseconds = nanoseconds_in(usage.ru_utime) + nanoseconds_in(usage.ru_stime);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): of longs, for 32 bits
  ended.peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return ended;
}

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

std::filesystem::path own_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace

void* map_shared(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error::system("", "cannot map memory", errno);
  }
  return memory;
}

void unmap_shared(void* memory, std::size_t bytes) noexcept { ::munmap(memory, bytes); }

void settle(const Settings& settings, std::size_t which_cpu) {
  if (!settings.cpus.empty()) {
    run_on_processor(settings.cpus[which_cpu % settings.cpus.size()]);
  }
  if (settings.rt_priority) {
    take_realtime_priority(*settings.rt_priority);
  }
}

Peer::Peer(const Settings& settings, const std::function<void()>& job) : pid_(::fork()) {
  if (pid_ < 0) {
    throw Error::system("", "cannot fork", errno);
  }
  if (pid_ == 0) {
    // Nothing of ours, the scratch directory say, is for this process to clean up.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      settle(settings, 1);
      job();
    } catch (const std::exception& error) {
      fmt::print(stderr, "shmim-bench: a peer: {}\n", printable(error.what()));
    } catch (const Interrupted&) {
    }
    std::_Exit(1);
  }
  state_file_ = ::open(fmt::format("/proc/{}/stat", pid_).c_str(), O_RDONLY | O_CLOEXEC);
}

Peer::~Peer() {
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (state_file_ >= 0) {
    ::close(state_file_);
  }
}

void Peer::await_sleep() const {
  std::array<char, 512> text{};
  while (true) {
    throw_if_interrupted();
    const ssize_t got = ::pread(state_file_, text.data(), text.size() - 1, 0);
    const std::string_view line(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t end = line.rfind(')');
    const char state = end != line.npos && end + 2 < line.size() ? line[end + 2] : 'X';
    if (state == 'S') {
      return;
    }
    if (state == 'X' || state == 'Z') {
      throw_failed("", "a peer has ended");
    }
    ::sched_yield();
  }
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept {
  while (word.load(std::memory_order_acquire) == seen) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

Ended run_program(const Command& command) {
  const auto begin = Clock::now();
  const pid_t pid = start(command);
  Ended ended = await_end(pid, command.words.front());
  ended.nanoseconds = since(begin);
  return ended;
}

Ended run_into_pipe(Command command, const std::function<void(int)>& drain) {
  Pipe pipe = make_pipe();
  command.output = pipe.writing.get();
  const auto begin = Clock::now();
  const pid_t pid = start(command);
  pipe.writing = {};
  drain(pipe.reading.get());
  Ended ended = await_end(pid, command.words.front());
  ended.nanoseconds = since(begin);
  return ended;
}

Ended run_for_memory(const Command& command) {
  const auto begin = Clock::now();
  // Of a process that was started by vfork, as posix_spawn does it, the kernel takes the peak of
  // whoever started it for its own.
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error::system("", "cannot fork", errno);
  }
  if (pid == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(command.output >= 0 ? command.output : null, STDOUT_FILENO);
    if (command.input >= 0) {
      ::dup2(command.input, STDIN_FILENO);
    }
    ::execv(command.words.front().c_str(), arguments_of(command).data());
    std::_Exit(127);
  }
  Ended ended = await_end(pid, command.words.front());
  ended.nanoseconds = since(begin);
  return ended;
}

std::filesystem::path sibling(const std::string& name) {
  std::filesystem::path path = own_directory() / ("shmim-" + name);
  if (::access(path.c_str(), X_OK) != 0) {
    throw Error(Problem::failed, path.string(), "is not there, where this program is");
  }
  return path;
}

std::optional<std::filesystem::path> empty_program() {
  std::filesystem::path path = own_directory() / SHMIM_EMPTY_PROGRAM;
  return ::access(path.c_str(), X_OK) == 0 ? std::optional(std::move(path)) : std::nullopt;
}

}  // namespace shmim::tools::bench
