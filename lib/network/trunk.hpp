#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>

#include <sys/types.h>
#include <zmq.hpp>

#include "network/authority.hpp"
#include "network/message.hpp"
#include "network/socket.hpp"
#include "shmim/network.hpp"

namespace shmim::network {

/// What all that a Sender sends goes through, and all that it is told comes from: one socket for
/// all receivers, used by any thread that has the lock, so that a frame goes out without another
/// thread having to wake up. ZeroMQ allows that, as a lock is the fence that it asks for. Its
/// descriptor tells of what comes in but once, to whoever used the socket next: therefore everybody
/// who has sent looks for what has come in before he lets the lock go.
class Trunk {
 public:
  using Take = std::function<void(const std::string& receiver, const FromReceiver& message)>;

  /// Calls `take`, with the lock. The options are to outlive it. Throws Error (failed).
  Trunk(const SenderOptions& options, Take take);

  /// As Sender::bind() and Sender::adopt().
  std::string bind(const std::string& endpoint);
  std::string adopt(int descriptor, const std::string& endpoint);
  /// Blocks until something may have come in, for so long at most.
  void wait(std::chrono::milliseconds longest) const;

  /// Of all that the threads of a Sender have in common.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }
  [[nodiscard]] const SenderOptions& options() const noexcept { return options_; }
  /// This one's name.
  [[nodiscard]] const std::string& host() const noexcept { return host_; }

  [[nodiscard]] bool is_over() const {
    return is_over_ || (options_.cancelled && options_.cancelled());
  }

  // ---- With the lock.

  /// False where the receiver is gone, or takes nothing: then it is to ask again.
  bool send(const std::string& receiver, const FromSender& message, zmq::message_t* head = nullptr,
            zmq::message_t* pixels = nullptr);
  void take_messages();
  /// Tells of connections that failed.
  void take_news();
  void tell(NetworkEvent::Kind kind, const std::string& subject, const std::string& text,
            std::uint64_t count = 0) const;
  [[nodiscard]] std::uint64_t new_session() noexcept { return next_session_++; }
  [[nodiscard]] bool has_ended() const noexcept { return is_over_; }
  void end() noexcept { is_over_ = true; }
  /// Ends with the exception that is being handled, if it is the first.
  void fail() noexcept;
  /// Throws it.
  void rethrow_failure() const;

 private:
  /// Of a socket of this host: ZeroMQ leaves it where it was, and it would be in nobody's way but
  /// for ever. One that another has made in its place meanwhile is not ours.
  class SocketFile {
   public:
    explicit SocketFile(std::filesystem::path path);
    ~SocketFile();
    SocketFile(const SocketFile&) = delete;
    SocketFile(SocketFile&&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;
    SocketFile& operator=(SocketFile&&) = delete;

   private:
    std::filesystem::path path_;
    ino_t inode_ = 0;
  };
  [[nodiscard]] std::string listen_at(const std::string& endpoint);

  const SenderOptions& options_;
  Take take_;
  std::string host_;
  std::list<SocketFile> files_;  ///< removed when the socket is closed
  zmq::context_t context_;
  std::mutex mutex_;  ///< of all that follows
  std::optional<Authority> authority_;
  zmq::socket_t socket_;
  Monitor monitor_;
  int descriptor_ = -1;  ///< of the socket: it tells that there may be something to do
  int of_monitor_ = -1;
  std::uint64_t next_session_;
  bool has_told_bad_ = false;
  std::exception_ptr failure_;
  std::atomic<bool> is_over_ = false;
};

}  // namespace shmim::network
