#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <shmim/shmim.hpp>
#include <sys/types.h>

#include "support/directory.hpp"

namespace shmim::faults {

using test::Directory;

/// Memory that this process shares with the children it forks.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  [[nodiscard]] void* data() const noexcept { return data_; }

 private:
  void* data_;
  std::size_t bytes_;
};

template <class T>
class Shared {
 public:
  Shared() : memory_(sizeof(T)), object_(new (memory_.data()) T{}) {}
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }

 private:
  SharedMemory memory_;
  T* object_;
};

/// A child process; killed and waited for at the end, if it is still there.
class Child {
 public:
  /// Runs `job`; its end is the end of the child, with status 1 and a line on stderr if it throws.
  explicit Child(const std::function<void()>& job);
  ~Child();
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// True once it has ended by itself, and been waited for.
  [[nodiscard]] bool has_ended() noexcept;
  void kill(int signal) const noexcept;
  /// Its exit status, or 128 and the signal that ended it.
  int wait() noexcept;

 private:
  pid_t pid_ = 0;
};

/// For a child: becomes the program, found in `directory`; the shm directory is told by
/// environment.
[[noreturn]] void execute(const std::filesystem::path& directory,
                          const std::vector<std::string>& command);

/// Where the tools are: set once from the command line.
std::filesystem::path& tools_directory();

/// Moments at a steady rate. What is late is left out: a camera does not catch up. No more than a
/// quarter of the time goes by between a moment and the next call, so that a writer leaves pauses
/// in which a frame can be read, however long the machine takes for one.
class Metronome {
 public:
  explicit Metronome(double rate) : period_(rate > 0 ? static_cast<std::int64_t>(1e9 / rate) : 0) {}
  void wait();

 private:
  std::chrono::nanoseconds period_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Frames from a pipe. Whole frames: one that is cut off by the end of the pipe is dropped.
class Pipe {
 public:
  Pipe();
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end);
  void become_stdout();
  /// False at the end of the pipe, or after `patience` without a byte.
  [[nodiscard]] bool read(std::span<std::byte> frame, std::chrono::milliseconds patience) const;

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Format of a stream of `bytes` per frame, in numbers of 64 bits.
Format numbers(std::size_t bytes, std::uint32_t circular_buffer = 0);
/// Writes `number` into every element.
void fill_frame(std::span<std::byte> frame, std::uint64_t number) noexcept;
/// True where every element holds the same number.
bool is_uniform(std::span<const std::byte> frame) noexcept;
std::uint64_t number_in(std::span<const std::byte> frame) noexcept;
/// Publishes a frame that holds its own cnt0 in every element.
std::uint64_t publish_numbered(Stream& stream);

/// What a run found: prints each failure as it comes, and says at the end whether there was one.
class Verdict {
 public:
  void expect(bool holds, std::string_view what);
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
  [[nodiscard]] int exit_status() const noexcept { return failures_ == 0 ? 0 : 1; }

 private:
  std::uint64_t failures_ = 0;
};

struct TornOptions {
  std::uint64_t frames = 100'000;  ///< to read in each cell
  double seconds = 0;              ///< at most so long in each cell; 0: as long as it takes
};
int torn(const TornOptions& options);

struct OrderOptions {
  std::uint64_t rounds = 100'000;
};
int order(const OrderOptions& options);

struct CrowdOptions {
  unsigned rounds = 1000;
  unsigned processes = 64;
};
int crowds(const CrowdOptions& options);

struct DeathOptions {
  unsigned stride = 1;      ///< of the points to die at, every so many
  std::string only;         ///< scenarios whose name holds this
  bool calls_only = false;  ///< at system calls, not between them
};
int deaths(const DeathOptions& options);

struct PeerOptions {
  std::string role;
  std::filesystem::path path;
  std::string size = "8x8";
  std::uint64_t frames = 1;
};
int peer(const PeerOptions& options);

struct RecorderOptions {
  unsigned stride = 1;  ///< of the system calls to die at, every so many
};
int recordings(const RecorderOptions& options);
/// What its victims do.
void record_frames(const std::filesystem::path& file);
void repair_recorded(const std::filesystem::path& file);
void compress_recorded(const std::filesystem::path& file);
/// Says what stopped it, and how many frames are in the file.
void record_until_full(const PeerOptions& options);
/// A recording of each type in the directory, called after it.
void record_types(const std::filesystem::path& directory);
/// Compresses all recordings in the directory, and says which could not be.
void compress_types(const std::filesystem::path& directory);

struct SoakOptions {
  double minutes = 1;
  std::uint64_t seed = 0;  ///< 0: another one each time
};
int soak(const SoakOptions& options);

}  // namespace shmim::faults
