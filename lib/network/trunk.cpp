#include "network/trunk.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "network/subscription.hpp"
#include "shmim/clock.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"

namespace shmim::network {

Trunk::Trunk(const SenderOptions& options, Take take)
    : options_(options),
      take_(std::move(take)),
      host_(host_name()),
      context_(1),
      socket_(context_, zmq::socket_type::router),
      monitor_(context_, socket_),
      next_session_(static_cast<std::uint64_t>(TaiClock::now().time_since_epoch().count())) {
  set_up(socket_);
  constexpr int longest_message = 64 << 10;
  socket_.set(zmq::sockopt::maxmsgsize, std::int64_t{longest_message});
  socket_.set(zmq::sockopt::router_mandatory, true);
  socket_.set(zmq::sockopt::sndhwm, 2 * static_cast<int>(most_on_the_way));
  if (options_.keys) {
    authority_.emplace(context_, options_.receivers,
                       [this](const std::string& address, const std::string& key) {
                         const std::lock_guard lock(mutex_);
                         tell(NetworkEvent::Kind::refused, address,
                              key.empty() ? "it comes without a key"
                                          : fmt::format("its key is not known: {}", key));
                       });
    socket_.set(zmq::sockopt::curve_server, true);
    socket_.set(zmq::sockopt::curve_secretkey, options_.keys->secret_key);
    socket_.set(zmq::sockopt::zap_domain, "shmim");
  }
  descriptor_ = socket_.get(zmq::sockopt::fd);
  of_monitor_ = monitor_.events().get(zmq::sockopt::fd);
}

std::string Trunk::bind(const std::string& endpoint) {
  std::string bound = listen_at(endpoint);
  constexpr std::string_view ipc = "ipc://";
  if (bound.starts_with(ipc)) {
    files_.emplace_back(bound.substr(ipc.size()));
  }
  return bound;
}

std::string Trunk::listen_at(const std::string& endpoint) {
  require_endpoint(endpoint);
  try {
    socket_.set(zmq::sockopt::ipv6, !is_of_ipv4(endpoint));
    socket_.bind(endpoint);
  } catch (const zmq::error_t& error) {
    throw error_of(endpoint, error);
  }
  std::string bound = socket_.get(zmq::sockopt::last_endpoint);
  const std::lock_guard lock(mutex_);
  tell(NetworkEvent::Kind::listening, bound, "listening");
  return bound;
}

std::string Trunk::adopt(int descriptor, const std::string& endpoint) {
  socket_.set(zmq::sockopt::use_fd, descriptor);
  std::string bound = listen_at(endpoint);
  socket_.set(zmq::sockopt::use_fd, -1);
  return bound;
}

Trunk::SocketFile::SocketFile(std::filesystem::path path) : path_(std::move(path)) {
  struct stat status {};
  // A name in the abstract namespace begins with @, and is no file.
  if (::lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    inode_ = status.st_ino;
  }
}

Trunk::SocketFile::~SocketFile() {
  struct stat status {};
  if (inode_ != 0 && ::lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

void Trunk::wait(std::chrono::milliseconds longest) const {
  std::array<pollfd, 2> descriptors{{{descriptor_, POLLIN, 0}, {of_monitor_, POLLIN, 0}}};
  ::poll(descriptors.data(), descriptors.size(), static_cast<int>(longest.count()));
}

bool Trunk::send(const std::string& receiver, const FromSender& message, zmq::message_t* head,
                 zmq::message_t* pixels) {
  const std::string bytes = encode(message);
  try {
    constexpr auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
    if (!socket_.send(zmq::buffer(receiver), more)) {
      return false;
    }
    socket_.send(zmq::buffer(bytes), head != nullptr ? more : zmq::send_flags::dontwait);
    if (head != nullptr) {
      socket_.send(*head, pixels != nullptr ? more : zmq::send_flags::dontwait);
    }
    if (pixels != nullptr) {
      socket_.send(*pixels, zmq::send_flags::dontwait);
    }
    return true;
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) {
      return false;
    }
    throw;
  }
}

void Trunk::take_messages() {
  for (;;) {
    zmq::message_t receiver;
    zmq::message_t body;
    if (!socket_.recv(receiver, zmq::recv_flags::dontwait)) {
      return;
    }
    bool is_one = receiver.more() && socket_.recv(body, zmq::recv_flags::dontwait).has_value();
    while (body.more()) {
      is_one = false;
      if (!socket_.recv(body, zmq::recv_flags::dontwait)) {
        break;
      }
    }
    try {
      if (!is_one) {
        throw Error(Problem::failed, "", "a message of another number of parts");
      }
      take_(receiver.to_string(), decode_from_receiver({body.data<std::byte>(), body.size()}));
    } catch (const Error& error) {
      if (std::exchange(has_told_bad_, true)) {
        continue;  // whoever floods us is to flood nobody's terminal
      }
      tell(NetworkEvent::Kind::bad_message, "", fmt::format("dropped {}", error.why()));
    }
  }
}

void Trunk::take_news() {
  while (const auto news = monitor_.next()) {
    if (news->change == Monitor::Change::refused && !options_.keys) {
      tell(NetworkEvent::Kind::refused, news->endpoint, news->why);
    }
  }
}

void Trunk::tell(NetworkEvent::Kind kind, const std::string& subject, const std::string& text,
                 std::uint64_t count) const {
  if (options_.tell) {
    options_.tell({kind, subject, text, count});
  }
}

void Trunk::fail() noexcept {
  failure_ = failure_ ? failure_ : std::current_exception();
  is_over_ = true;
}

void Trunk::rethrow_failure() const {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

}  // namespace shmim::network
