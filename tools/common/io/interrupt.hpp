#pragma once

#include <chrono>
#include <ctime>

namespace shmim::tools {

/// SIGINT and SIGTERM are noticed from here on, SIGPIPE and SIGXFSZ are a
/// write that fails.
void install_signal_handlers() noexcept;
/// True once SIGINT or SIGTERM has arrived.
bool interrupted() noexcept;
/// The signal that has arrived, or 0.
int received_signal() noexcept;
/// How many have arrived.
int received_signals() noexcept;
void throw_if_interrupted();
/// As the kernel takes a time or a duration, which is not negative.
[[nodiscard]] timespec timespec_of(std::chrono::nanoseconds time) noexcept;
/// Sleeps until then. Throws Interrupted.
void sleep_until(std::chrono::steady_clock::time_point time);

}  // namespace shmim::tools
