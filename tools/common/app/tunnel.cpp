#include "common/app/tunnel.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/error.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shmim::tools {
namespace {

/// Of an endpoint, as ssh's -L takes it.
std::string address_of(const std::string& endpoint) {
  constexpr std::size_t scheme = 6;  // of tcp:// and ipc://
  return endpoint.substr(scheme);
}

std::filesystem::path make_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "shmim-tunnel.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    const int error_number = errno;
    throw Error::system(name, "cannot be made", error_number);
  }
  return name;
}

}  // namespace

Tunnel::Tunnel(std::string host, const std::string& endpoint, std::string command, unsigned port)
    : host_(std::move(host)),
      command_(std::move(command)),
      port_(port),
      directory_(make_directory()) {
  way_ = fmt::format("{}:{}", (directory_ / "socket").string(), address_of(endpoint));
  start();
}

Tunnel::~Tunnel() {
  life_ = FileDescriptor();
  if (ssh_ > 0) {
    ::kill(ssh_, SIGTERM);
    ::waitpid(ssh_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Tunnel::endpoint() const { return "ipc://" + (directory_ / "socket").string(); }

void Tunnel::start() {
  // What it runs there ends when its standard input does, which is when we are no more.
  std::vector<std::string> words{"ssh", "-T", "-L", way_};
  for (const char* setting : {"ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes",
                              "ServerAliveInterval=1", "ServerAliveCountMax=3", "LogLevel=ERROR"}) {
    words.insert(words.end(), {"-o", setting});
  }
  if (port_ != 0) {
    words.insert(words.end(), {"-p", std::to_string(port_)});
  }
  words.insert(words.end(), {host_, command_});
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw Error::system("ssh", "cannot be started", errno);
  }
  const FileDescriptor theirs(pipe[0]);
  life_ = FileDescriptor(pipe[1]);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  // Signals that this process does not heed are to end ssh all the same.
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t all{};
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error_number =
      ::posix_spawnp(&ssh_, "ssh", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    ssh_ = 0;
    throw Error::system("ssh", "cannot be started", error_number);
  }
  started_ = std::chrono::steady_clock::now();
}

bool Tunnel::has_ended() noexcept {
  if (ssh_ > 0 && ::waitpid(ssh_, nullptr, WNOHANG) == ssh_) {
    ssh_ = 0;
  }
  return ssh_ == 0;
}

void Tunnel::keep_up() {
  constexpr std::chrono::seconds between_starts{1};
  if (has_ended() && std::chrono::steady_clock::now() - started_ >= between_starts) {
    start();
  }
}

}  // namespace shmim::tools
