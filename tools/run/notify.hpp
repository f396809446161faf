#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace shmim::tools {

/// Tells systemd how a service is doing, where it asks to be told (sd_notify(3)): NOTIFY_SOCKET and
/// WATCHDOG_USEC in the environment. Does nothing elsewhere, nor where it cannot be told.
class ServiceManager {
 public:
  ServiceManager();
  /// `READY=1`, `STOPPING=1`, `STATUS=...`.
  void tell(std::string_view state) const noexcept;
  /// That all is well; sent at half the watchdog's interval, however often it is called.
  void keep_alive() noexcept;

 private:
  std::string socket_;
  std::optional<std::chrono::microseconds> interval_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace shmim::tools
