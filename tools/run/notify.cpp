#include "run/notify.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <shmim/shmim.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace shmim::tools {
namespace {

std::string variable(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? "" : value;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(variable("NOTIFY_SOCKET")) {
  const std::string pid = variable("WATCHDOG_PID");
  const auto interval = parse_number<std::uint64_t>(variable("WATCHDOG_USEC"));
  if (interval && *interval > 0 && (pid.empty() || pid == std::to_string(::getpid()))) {
    interval_ = std::chrono::microseconds{*interval / 2};
  }
}

void ServiceManager::tell(std::string_view state) const noexcept {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) {
    return;
  }
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_, std::begin(address.sun_path));
  if (address.sun_path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = offsetof(sockaddr_un, sun_path) + socket_.size();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): so are addresses passed
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
}

void ServiceManager::keep_alive() noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (interval_ && now >= next_) {
    next_ = now + *interval_;
    tell("WATCHDOG=1");
  }
}

}  // namespace shmim::tools
