#pragma once

// Other processes: peers that a measure forks, and programs that it starts.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {

/// Memory that this process and its forked peers see alike: one T, made from zeros.
template <class T>
class Shared;

/// A forked process that runs `job`, and is killed at the end if it is still there. It is pinned to
/// the reader's processor where the user named one.
class Peer {
 public:
  Peer(const Settings& settings, const std::function<void()>& job);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer& operator=(Peer&&) = delete;
  /// Returns once the peer sleeps in the kernel. Throws Error (failed) where it has ended instead,
  /// Interrupted.
  void await_sleep() const;

 private:
  pid_t pid_;
  int state_file_ = -1;
};

/// Pins this process to a processor and gives it the priority that the user asked for. Throws
/// Error.
void settle(const Settings& settings, std::size_t which_cpu);

void* map_shared(std::size_t bytes);
void unmap_shared(void* memory, std::size_t bytes) noexcept;

template <class T>
class Shared {
 public:
  Shared() : value_(static_cast<T*>(map_shared(sizeof(T)))) {}
  ~Shared() { unmap_shared(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared(Shared&&) = delete;
  Shared& operator=(const Shared&) = delete;
  Shared& operator=(Shared&&) = delete;
  T* operator->() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }

 private:
  T* value_;
};

/// Raw futex, as the kernel has it.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept;
void futex_wake(std::atomic<std::uint32_t>& word) noexcept;

/// A program to start. The output goes to /dev/null where none is given.
struct Command {
  std::vector<std::string> words;  ///< the first is the path of the program
  int output = -1;
  int input = -1;
};
/// How it went.
struct Ended {
  double nanoseconds = 0;            ///< from the start to its being gone
  double processor_nanoseconds = 0;  ///< that it was running
  std::uint64_t peak_bytes = 0;      ///< most memory that was resident, shared pages included
};
/// Starts a program and waits for its end. Throws Error (failed) unless it exits with 0,
/// Interrupted.
Ended run_program(const Command& command);
/// The same, and hands whatever it writes to a pipe of the usual size to `drain`, which reads to
/// the end.
Ended run_into_pipe(Command command, const std::function<void(int)>& drain);
/// The same as run_program, by fork: the peak of memory is the program's, not ours.
Ended run_for_memory(const Command& command);

/// A tool that stands beside this program: `shmim-NAME`. Throws Error (not_found).
std::filesystem::path sibling(const std::string& name);
/// The empty program in C that is the floor of every start; nothing where it is not installed.
std::optional<std::filesystem::path> empty_program();

}  // namespace shmim::tools::bench
