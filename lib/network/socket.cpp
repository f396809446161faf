#include "network/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "shmim/text.hpp"

namespace shmim {

bool is_endpoint(std::string_view text) noexcept {
  const auto colon = text.rfind(':');
  const bool is_tcp = text.starts_with("tcp://") && colon > 6 && colon + 1 < text.size();
  return is_tcp || (text.starts_with("ipc://") && text.size() > 6);
}

bool is_local_endpoint(std::string_view endpoint) noexcept {
  if (endpoint.starts_with("ipc://")) {
    return true;
  }
  constexpr std::array<std::string_view, 3> loopbacks{"tcp://127.",
                                                      "tcp://localhost:", "tcp://[::1]:"};
  return std::ranges::any_of(
      loopbacks, [&](std::string_view loopback) { return endpoint.starts_with(loopback); });
}

}  // namespace shmim

namespace shmim::network {

void set_up(zmq::socket_t& socket) {
  constexpr int milliseconds_unacknowledged = 1500;
  constexpr int milliseconds_to_connect = 700;
  constexpr int milliseconds_before_retry = 100;
  constexpr int longest_milliseconds_before_retry = 500;
  constexpr int milliseconds_of_handshake = 5000;
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::tcp_maxrt, milliseconds_unacknowledged);
  socket.set(zmq::sockopt::connect_timeout, milliseconds_to_connect);
  socket.set(zmq::sockopt::reconnect_ivl, milliseconds_before_retry);
  socket.set(zmq::sockopt::reconnect_ivl_max, longest_milliseconds_before_retry);
  socket.set(zmq::sockopt::handshake_ivl, milliseconds_of_handshake);
}

void require_endpoint(std::string_view endpoint) {
  if (!is_endpoint(endpoint)) {
    throw Error(Problem::usage, std::string(endpoint),
                "is no endpoint: tcp://HOST:PORT or ipc://PATH");
  }
}

bool is_of_ipv4(std::string_view endpoint) noexcept {
  constexpr std::string_view tcp = "tcp://";
  return endpoint.starts_with(tcp) &&
         endpoint.substr(tcp.size(), endpoint.rfind(':') - tcp.size())
                 .find_first_not_of("0123456789.") == std::string_view::npos;
}

void connect(zmq::socket_t& socket, const std::string& endpoint, const std::optional<KeyPair>& keys,
             const std::string& server_key) {
  if (keys) {
    socket.set(zmq::sockopt::curve_serverkey, server_key);
    socket.set(zmq::sockopt::curve_publickey, keys->public_key);
    socket.set(zmq::sockopt::curve_secretkey, keys->secret_key);
  }
  try {
    socket.set(zmq::sockopt::ipv6, !is_of_ipv4(endpoint));
    socket.connect(endpoint);
  } catch (const zmq::error_t& error) {
    throw error_of(endpoint, error);
  }
}

bool wait_for(std::span<zmq::pollitem_t> items, std::chrono::milliseconds longest) {
  try {
    zmq::poll(items.data(), items.size(), longest);
    return true;
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) {
      throw;
    }
    return false;
  }
}

Error error_of(const std::string& endpoint, const zmq::error_t& error) {
  switch (error.num()) {
    case EADDRINUSE:
      return {Problem::failed, endpoint, "another program listens there"};
    case EADDRNOTAVAIL:
      return {Problem::failed, endpoint, "is not an address of this host"};
    case EINVAL:
    case ENODEV:
    case EPROTONOSUPPORT:
      return {Problem::usage, endpoint, "is no endpoint: tcp://HOST:PORT or ipc://PATH"};
    default:
      return Error::system(endpoint, "cannot be reached", error.num());
  }
}

Monitor::Monitor(zmq::context_t& context, zmq::socket_t& socket)
    : watched_(socket), events_(context, zmq::socket_type::pair) {
  constexpr int wanted = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                         ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                         ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  // Of this socket alone, whatever address the next one has.
  const std::string address = fmt::format("inproc://monitor-{}", fmt::ptr(this));
  if (zmq_socket_monitor(socket.handle(), address.c_str(), wanted) != 0) {
    throw Error(Problem::failed, "", "ZeroMQ does not tell of its connections");
  }
  events_.connect(address);
}

Monitor::~Monitor() { zmq_socket_monitor(watched_.handle(), nullptr, 0); }

std::optional<Monitor::News> Monitor::next() {
  zmq::message_t what;
  zmq::message_t where;
  if (!events_.recv(what, zmq::recv_flags::dontwait) ||
      !events_.recv(where, zmq::recv_flags::none) || what.size() < sizeof(std::uint16_t)) {
    return std::nullopt;
  }
  std::uint16_t event = 0;
  std::memcpy(&event, what.data(), sizeof event);
  News news{Change::refused, printable(where.to_string_view()), {}};
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      news.change = Change::connected;
      break;
    case ZMQ_EVENT_DISCONNECTED:
      news.change = Change::down;
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      news.why = "it does not know our key";
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      news.why = "it does not agree on keys, or speaks another protocol";
      break;
    default:
      news.why =
          "the connection ended before both had agreed on keys: is the other one's the right key?";
      break;
  }
  return news;
}

}  // namespace shmim::network
