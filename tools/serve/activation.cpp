#include "serve/activation.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <shmim/error.hpp>
#include <shmim/process.hpp>
#include <shmim/text.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace shmim::tools {
namespace {

/// The first descriptor that is handed over: sd_listen_fds(3).
constexpr int first_descriptor = 3;

template <class Number>
Number number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? Number{0} : parse_number<Number>(text).value_or(Number{0});
}

std::string endpoint_of(int descriptor) {
  const std::string subject = fmt::format("descriptor {}", descriptor);
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  if (::getsockname(descriptor, any, &bytes) != 0 ||
      ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 ||
      is_listening == 0) {
    throw Error(Problem::failed, subject, "was handed over, and is no socket that listens");
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (any->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return fmt::format("tcp://{}:{}", text.data(), ntohs(v4.sin_port));
  }
  if (any->sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("tcp://[{}]:{}", text.data(), ntohs(v6.sin6_port));
  }
  const auto& local = reinterpret_cast<const sockaddr_un&>(address);
  if (any->sa_family == AF_UNIX && local.sun_path[0] != '\0') {
    return fmt::format("ipc://{}", local.sun_path);
  }
  throw Error(Problem::failed, subject, "was handed over, and is neither TCP nor a socket by name");
}

}  // namespace

std::vector<ListeningSocket> sockets_of_activation() {
  std::vector<ListeningSocket> sockets;
  if (number_of<pid_t>("LISTEN_PID") != this_process()) {
    return sockets;
  }
  const auto count = number_of<unsigned>("LISTEN_FDS");
  for (int i = 0; i < static_cast<int>(count); ++i) {
    const int descriptor = first_descriptor + i;
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    sockets.push_back({FileDescriptor(descriptor), endpoint_of(descriptor)});
  }
  return sockets;
}

bool has_input_ended() noexcept {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, 0) <= 0) {
    return false;
  }
  std::array<char, 256> dropped{};
  const ssize_t bytes = ::read(STDIN_FILENO, dropped.data(), dropped.size());
  return bytes == 0 || (bytes < 0 && errno != EINTR && errno != EAGAIN);
}

}  // namespace shmim::tools
