#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include "shmim/error.hpp"
#include "shmim/network.hpp"

namespace shmim::network {

/// What both ends set: nothing is kept for who has gone, and a host that does not answer is noticed
/// by the kernel, whose acknowledgements do not queue behind large frames as heartbeats of ours
/// would.
void set_up(zmq::socket_t& socket);

/// Throws Error (usage) for what is no `tcp://HOST:PORT` and no `ipc://PATH`.
void require_endpoint(std::string_view endpoint);

/// True where its address is one of IPv4 in numbers, which is shown as such then.
[[nodiscard]] bool is_of_ipv4(std::string_view endpoint) noexcept;

/// Waits until one of them has something, for so long at most, or if it is negative without end.
/// False if a signal came.
[[nodiscard]] bool wait_for(std::span<zmq::pollitem_t> items, std::chrono::milliseconds longest);

/// Connects, in clear without keys. Throws Error as error_of() tells.
void connect(zmq::socket_t& socket, const std::string& endpoint, const std::optional<KeyPair>& keys,
             const std::string& server_key);

/// What ZeroMQ refused to do with an endpoint.
[[nodiscard]] Error error_of(const std::string& endpoint, const zmq::error_t& error);

/// Tells what becomes of a socket's connections. For the thread of the socket.
class Monitor {
 public:
  enum class Change { connected, down, refused };
  struct News {
    Change change;
    std::string endpoint;
    std::string why;  ///< it was refused
  };
  Monitor(zmq::context_t& context, zmq::socket_t& socket);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor(Monitor&&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  Monitor& operator=(Monitor&&) = delete;

  [[nodiscard]] zmq::socket_t& events() noexcept { return events_; }
  /// The next thing that has happened; nullopt if there is none, yet.
  [[nodiscard]] std::optional<News> next();

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
};

}  // namespace shmim::network
