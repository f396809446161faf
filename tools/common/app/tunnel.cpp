#include "common/app/tunnel.hpp"

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

#include "common/io/pipe.hpp"
#include "common/io/pointers.hpp"

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

/// A program that says nothing. Throws Error.
pid_t spawn(std::vector<std::string> words, int input) {
  const std::vector<char*> arguments = pointers_to(words);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  // Signals that this process does not heed are to end it all the same.
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t all{};
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error_number =
      ::posix_spawnp(&pid, arguments.front(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    throw Error::system(words.front(), "cannot be started", error_number);
  }
  return pid;
}

}  // namespace

Tunnel::Tunnel(std::string host, const std::string& endpoint, std::string command, unsigned port)
    : host_(std::move(host)),
      command_(std::move(command)),
      port_(port),
      directory_(make_directory()) {
  way_ = fmt::format("{}:{}", (directory_ / "socket").string(), address_of(endpoint));
  Pipe pipe = make_pipe();
  theirs_ = std::move(pipe.reading);
  life_ = std::move(pipe.writing);
  try {
    start();
    start_caretaker();
  } catch (...) {
    end();
    throw;
  }
}

Tunnel::~Tunnel() { end(); }

void Tunnel::end() noexcept {
  life_ = FileDescriptor();
  if (ssh_ > 0) {
    ::kill(ssh_, SIGTERM);
    ::waitpid(ssh_, nullptr, 0);
  }
  if (caretaker_ > 0) {
    ::waitpid(caretaker_, nullptr, 0);
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
  ssh_ = spawn(std::move(words), theirs_.get());
  started_ = std::chrono::steady_clock::now();
}

void Tunnel::start_caretaker() {
  // However we end, also by what leaves no time to clean up.
  caretaker_ = spawn({"sh", "-c", "trap '' INT TERM HUP; read -r nothing; rm -rf -- \"$1\"", "sh",
                      directory_.string()},
                     theirs_.get());
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
