#include "receive/tunnel.hpp"

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
  std::string name = (std::filesystem::temp_directory_path() / "shmim-receive.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    const int error_number = errno;
    throw Error::system(name, "cannot be made", error_number);
  }
  return name;
}

}  // namespace

Tunnel::Tunnel(std::string host, const std::string& endpoint)
    : host_(std::move(host)), directory_(make_directory()) {
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
                              "ServerAliveInterval=1", "ServerAliveCountMax=3"}) {
    words.insert(words.end(), {"-o", setting});
  }
  words.insert(words.end(), {host_, "cat"});
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
  const int error_number =
      ::posix_spawnp(&ssh_, "ssh", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    ssh_ = 0;
    throw Error::system("ssh", "cannot be started", error_number);
  }
  started_ = std::chrono::steady_clock::now();
}

void Tunnel::keep_up() {
  constexpr std::chrono::seconds between_starts{1};
  if (ssh_ > 0 && ::waitpid(ssh_, nullptr, WNOHANG) == ssh_) {
    ssh_ = 0;
  }
  if (ssh_ == 0 && std::chrono::steady_clock::now() - started_ >= between_starts) {
    start();
  }
}

}  // namespace shmim::tools
