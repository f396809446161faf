#include "run/filter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/pipe.hpp"
#include "common/io/pointers.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

/// How the process is set up between fork and exec.
class Setup {
 public:
  Setup(int input, std::optional<int> output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    if (output) {
      posix_spawn_file_actions_adddup2(&actions_, *output, STDOUT_FILENO);
    }
    posix_spawnattr_init(&attributes_);
    // Signals that we ignore or wait for are none of its business.
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGPIPE, SIGXFSZ}) {
      sigaddset(&set, signal);
    }
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Setup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Setup(const Setup&) = delete;
  Setup(Setup&&) = delete;
  Setup& operator=(const Setup&) = delete;
  Setup& operator=(Setup&&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// Ours, but for what is set here and what is meant for us alone.
std::vector<std::string> environment_with(const Variables& variables) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    if (!variables.contains(name) && name != "NOTIFY_SOCKET" && name != "WATCHDOG_USEC" &&
        name != "WATCHDOG_PID") {
      environment.emplace_back(text);
    }
  }
  for (const auto& [name, value] : variables) {
    environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

int open_process(pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // -1 on kernels before 5.3
}

void do_not_block(int descriptor) noexcept {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

FilterFailed description_of(int status) {
  if (WIFSIGNALED(status)) {
    return {fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                        ::sigabbrev_np(WTERMSIG(status)))};
  }
  return {fmt::format("exited with {}", WEXITSTATUS(status)), WEXITSTATUS(status) != 0};
}

}  // namespace

Filter::~Filter() {
  if (is_running()) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Filter::start(const Variables& variables) {
  Pipe input = make_pipe();
  Pipe output = options_.answers ? make_pipe() : Pipe{};
  widen_pipe(input.writing.get(), options_.question_bytes);
  const Setup setup(input.reading.get(),
                    options_.answers ? std::optional(output.writing.get()) : std::nullopt);
  std::vector<std::string> words = options_.command;
  std::vector<std::string> environment = environment_with(variables);
  if (const int error =
          ::posix_spawnp(&pid_, words.front().c_str(), setup.actions(), setup.attributes(),
                         pointers_to(words).data(), pointers_to(environment).data());
      error != 0) {
    pid_ = 0;
    throw Error(Problem::failed, words.front(),
                fmt::format("cannot run it: {}", std::generic_category().message(error)));
  }
  process_ = FileDescriptor(open_process(pid_));
  if (options_.processor) {
    cpu_set_t set{};
    CPU_ZERO(&set);
    CPU_SET(*options_.processor, &set);
    ::sched_setaffinity(pid_, sizeof set, &set);
  }
  input_ = std::move(input.writing);
  do_not_block(input_.get());
  if (options_.answers) {
    widen_pipe(output.reading.get(), options_.answer_bytes);
    output_ = std::move(output.reading);
    do_not_block(output_.get());
  }
}

bool Filter::has_ended() const noexcept {
  siginfo_t info{};
  return is_running() &&
         ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void Filter::ask(std::span<const std::byte> head, std::span<const std::byte> pixels) {
  head_ = head;
  pixels_ = pixels;
  deadline_ = deadline_after(options_.timeout);
  silence_ = options_.on_silence ? deadline_after(std::chrono::seconds{2}) : Deadline();
  came_ = 0;
  write_on();
}

std::size_t Filter::read_now(std::span<std::byte> room) noexcept {
  const ssize_t got = ::read(output_.get(), room.data(), room.size());
  return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

void Filter::write_on() noexcept {
  while (is_asking()) {
    const ssize_t written = write_some(input_.get(), head_, pixels_);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0 && errno == EAGAIN) {
      return;
    }
    if (written < 0) {  // it has closed its input: what it has read may be enough for it
      head_ = pixels_ = {};
      return;
    }
    const auto done = static_cast<std::size_t>(written);
    const std::size_t of_head = std::min(done, head_.size());
    head_ = head_.subspan(of_head);
    pixels_ = pixels_.subspan(done - of_head);
  }
}

void Filter::await(bool output) {
  std::array<pollfd, 3> wanted{{{output ? output_.get() : -1, POLLIN, 0},
                                {is_asking() ? input_.get() : -1, POLLOUT, 0},
                                {output ? -1 : process_.get(), POLLIN, 0}}};
  // Where the kernel cannot tell of its end, we look for it.
  constexpr std::chrono::milliseconds between_looks{10};
  const bool is_told = output || process_.get() >= 0;
  const Deadline looking = is_told ? Deadline() : deadline_after(between_looks);
  Deadline until;
  for (const Deadline& one : {deadline_, looking, silence_}) {
    until = until && one ? std::min(until, one) : one ? one : until;
  }
  timespec left{};
  if (until) {
    left = timespec_of(std::max(*until - std::chrono::steady_clock::now(),
                                std::chrono::steady_clock::duration::zero()));
  }
  const int ready = ::ppoll(wanted.data(), wanted.size(), until ? &left : nullptr, nullptr);
  throw_if_interrupted();
  if (ready == 0 && deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
    throw FilterFailed{
        fmt::format("did not answer within {}", in_words(Seconds(*options_.timeout))), true, true};
  }
  if (ready == 0 && silence_ && std::chrono::steady_clock::now() >= *silence_) {
    silence_.reset();
    std::exchange(options_.on_silence, nullptr)(came_);
  }
  write_on();
}

std::size_t Filter::read_some(std::span<std::byte> room) {
  while (true) {
    await(true);
    const ssize_t got = ::read(output_.get(), room.data(), room.size());
    if (got >= 0) {
      came_ += static_cast<std::size_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (errno != EAGAIN && errno != EINTR) {
      throw Error::system(options_.command.front(), "cannot read what it writes", errno);
    }
  }
}

void Filter::finish_asking() {
  while (is_asking() && !has_ended()) {
    await(false);
  }
}

void Filter::finish() {
  input_ = {};
  output_ = {};  // whatever it still writes is a failure of its own
  while (!has_ended()) {
    await(false);
  }
  if (const FilterFailed ended = end(); ended.is_failure) {
    throw FilterFailed{ended};
  }
}

std::optional<int> Filter::reap(std::chrono::nanoseconds patience) const noexcept {
  const Deadline deadline = deadline_after(patience);
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(pid_, &status, WNOHANG)) == 0 &&
         std::chrono::steady_clock::now() < *deadline) {
    constexpr timespec pause{0, 1'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
  }
  return ended == pid_ ? std::optional(status) : std::nullopt;
}

FilterFailed Filter::end() {
  input_ = {};
  constexpr std::chrono::milliseconds between_output_and_end{200};
  const std::optional<int> status = reap(between_output_and_end);
  FilterFailed failed =
      status ? description_of(*status) : FilterFailed{"closed its output and went on"};
  if (!status) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close();
  return failed;
}

void Filter::stop(bool by_signal) noexcept {
  if (!is_running()) {
    return;
  }
  input_ = {};
  output_ = {};
  constexpr std::chrono::seconds grace{1};
  bool is_gone = !by_signal && reap(grace);
  ::kill(-pid_, SIGTERM);  // also what it has left behind
  is_gone = is_gone || reap(grace);
  if (!is_gone) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close();
}

void Filter::close() noexcept {
  pid_ = 0;
  input_ = {};
  output_ = {};
  process_ = {};
  head_ = pixels_ = {};
}

}  // namespace shmim::tools
