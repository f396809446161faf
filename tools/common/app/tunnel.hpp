#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <shmim/file.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// A way through the system's ssh to an endpoint as another host sees it, which begins at a socket
/// in a directory of its own here. ssh ends with this object, and with this process.
class Tunnel {
 public:
  /// What runs there, and is to end when its standard input does.
  static constexpr const char* nothing = "cat";
  /// `host` as ssh takes it, `user@host` say, at that port unless it is 0. Throws Error: failed (no
  /// ssh), no_permission, no_space.
  Tunnel(std::string host, const std::string& endpoint, std::string command = nothing,
         unsigned port = 0);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel(Tunnel&&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  Tunnel& operator=(Tunnel&&) = delete;

  /// Where it begins.
  [[nodiscard]] std::string endpoint() const;
  /// True where ssh has ended, and has not been started again.
  [[nodiscard]] bool has_ended() noexcept;
  /// Starts ssh again where it has ended; not more often than once a second.
  void keep_up();

 private:
  void start();
  void start_caretaker();
  void end() noexcept;
  std::string host_;
  std::string command_;
  unsigned port_;
  std::string way_;  ///< as ssh's -L takes it
  std::filesystem::path directory_;
  pid_t ssh_ = 0;
  pid_t caretaker_ = 0;    ///< removes the directory when this process ends
  FileDescriptor theirs_;  ///< standard input of both
  FileDescriptor life_;    ///< they end when it is closed
  std::chrono::steady_clock::time_point started_;
};

}  // namespace shmim::tools
