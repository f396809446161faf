#pragma once

#include <string>

#include <sys/types.h>

#include "shmim/export.hpp"

namespace shmim {

/// This process's PID without a system call; right in a forked child too.
[[nodiscard]] SHMIM_EXPORT pid_t this_process() noexcept;
/// True if a program runs that has that PID, also one that we may not signal. A zombie and a thread
/// of the kernel are none: a stream that names the PID of one means a process that has ended, or
/// one of another PID namespace.
[[nodiscard]] SHMIM_EXPORT bool is_alive(pid_t pid) noexcept;
/// Command name of a process (`/proc/PID/comm`), as it stands; empty if there is none.
[[nodiscard]] SHMIM_EXPORT std::string command_of(pid_t pid);
/// `1234 (cam_grab)`, or `1234 (dead)`.
[[nodiscard]] SHMIM_EXPORT std::string describe_process(pid_t pid);
/// What this host calls itself; `unknown` if it does not say.
[[nodiscard]] SHMIM_EXPORT std::string host_name();
/// What Linux calls this run of it, from one boot to the next: PIDs and inodes mean the same where
/// it is the same. Empty if it is not to be had.
[[nodiscard]] SHMIM_EXPORT std::string boot_id();

}  // namespace shmim
