#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

namespace shmim::network {

/// Says of each connection that comes with CURVE whether its key is one of those that are known, as
/// ZeroMQ asks (its ZAP, RFC 27). To be made before a socket of the context listens, and to outlive
/// it.
class Authority {
 public:
  /// Calls `refused`, in a thread of its own, with the address and the key of who is not known.
  using Refused = std::function<void(const std::string& address, const std::string& key)>;
  Authority(zmq::context_t& context, std::vector<std::string> known, Refused refused);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority(Authority&&) = delete;
  Authority& operator=(const Authority&) = delete;
  Authority& operator=(Authority&&) = delete;

 private:
  void answer(zmq::socket_t& questions);
  std::vector<std::string> known_;
  Refused refused_;
  zmq::socket_t end_;  ///< a message here ends the thread
  std::thread thread_;
};

}  // namespace shmim::network
