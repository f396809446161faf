#include "harness.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shmim::faults {

SharedMemory::SharedMemory(std::size_t bytes)
    : data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
      bytes_(bytes) {
  if (data_ == MAP_FAILED) {
    throw std::bad_alloc();
  }
}

SharedMemory::~SharedMemory() { ::munmap(data_, bytes_); }

Child::Child(const std::function<void()>& job) : pid_(::fork()) {
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot fork");
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever kills the harness has killed its peers
    int status = 0;
    try {
      job();
    } catch (const std::exception& error) {
      fmt::print(stderr, "child: {}\n", error.what());
      status = 1;
    }
    std::_Exit(status);
  }
}

Child::~Child() {
  if (pid_ > 0) {
    kill(SIGKILL);
    wait();
  }
}

bool Child::has_ended() noexcept {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
    pid_ = 0;
  }
  return pid_ == 0;
}

void Child::kill(int signal) const noexcept {
  if (pid_ > 0) {
    ::kill(pid_, signal);
  }
}

int Child::wait() noexcept {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void execute(const std::filesystem::path& directory, const std::vector<std::string>& command) {
  ::setenv("MILK_SHM_DIR", directory.c_str(), 1);
  std::vector<std::string> words = command;
  words.front() = (tools_directory() / words.front()).string();
  std::vector<char*> arguments;
  std::transform(words.begin(), words.end(), std::back_inserter(arguments),
                 [](std::string& word) { return word.data(); });
  arguments.push_back(nullptr);
  ::execv(arguments.front(), arguments.data());
  fmt::print(stderr, "cannot run {}: {}\n", words.front(), std::strerror(errno));
  std::_Exit(127);
}

std::filesystem::path& tools_directory() {
  static std::filesystem::path directory;
  return directory;
}

void Metronome::wait() {
  if (period_.count() == 0) {
    return;
  }
  const auto done = std::chrono::steady_clock::now();
  const auto next = std::max(last_ + period_, done + 3 * (done - last_));
  // The last stretch is spun, since a sleep of 50 us is none on many machines; but whoever shares
  // the processor with us gets it.
  if (const auto left = next - done; left > std::chrono::microseconds{200}) {
    std::this_thread::sleep_for(left - std::chrono::microseconds{100});
  }
  do {
    std::this_thread::yield();
    last_ = std::chrono::steady_clock::now();
  } while (last_ < next);
}

Pipe::Pipe() {
  if (::pipe(ends_.data()) != 0) {
    throw Error::system("", "cannot make a pipe", errno);
  }
}

Pipe::~Pipe() {
  close_end(0);
  close_end(1);
}

void Pipe::close_end(std::size_t end) {
  if (ends_[end] >= 0) {
    ::close(ends_[end]);
    ends_[end] = -1;
  }
}

void Pipe::become_stdout() { ::dup2(ends_[1], STDOUT_FILENO); }

bool Pipe::read(std::span<std::byte> frame, std::chrono::milliseconds patience) const {
  while (!frame.empty()) {
    pollfd end{ends_[0], POLLIN, 0};
    if (::poll(&end, 1, static_cast<int>(patience.count())) <= 0) {
      return false;
    }
    const ssize_t bytes = ::read(ends_[0], frame.data(), frame.size());
    if (bytes <= 0) {
      return false;
    }
    frame = frame.subspan(static_cast<std::size_t>(bytes));
  }
  return true;
}

Format numbers(std::size_t bytes, std::uint32_t circular_buffer) {
  Format format;
  format.type = DataType::uint64;
  format.shape = Shape{static_cast<std::uint32_t>(bytes / sizeof(std::uint64_t))};
  format.circular_buffer = circular_buffer;
  return format;
}

void fill_frame(std::span<std::byte> frame, std::uint64_t number) noexcept {
  auto* elements = reinterpret_cast<std::uint64_t*>(frame.data());
  std::fill_n(elements, frame.size() / sizeof(number), number);
}

bool is_uniform(std::span<const std::byte> frame) noexcept {
  return std::memcmp(frame.data(), &frame[sizeof(std::uint64_t)],
                     frame.size() - sizeof(std::uint64_t)) == 0;
}

std::uint64_t number_in(std::span<const std::byte> frame) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, frame.data(), sizeof(number));
  return number;
}

std::uint64_t publish_numbered(Stream& stream) {
  WriteGuard guard(stream);
  fill_frame(guard.pixels(), stream.cnt0() + 1);
  return guard.publish();
}

void Verdict::expect(bool holds, std::string_view what) {
  if (!holds) {
    ++failures_;
    fmt::print("FAILED: {}\n", what);
  }
}

}  // namespace shmim::faults
