#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/error.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/layout.hpp"
#include "shmim/segment.hpp"
#include "shmim/stream.hpp"
#include "shmim/trace.hpp"

namespace shmim {

/// Who wrote the newest frame of a stream.
struct FrameWriter {
  pid_t pid = 0;           ///< 0: not known
  bool is_traced = false;  ///< by the trace. Else the trace, if any, is of an older frame.
};
/// By the trace, or where that is of an older frame or there is none, by who has posted the
/// semaphores.
[[nodiscard]] SHMIM_EXPORT FrameWriter writer_of(const Stream& stream,
                                                 std::span<const TraceEntry> trace);

/// A process as a stream names it.
struct Process {
  pid_t pid = 0;  ///< 0: none is named
  Liveness liveness = Liveness::dead;
  std::string command;  ///< empty where it is dead, or none that we can see under that number

  [[nodiscard]] bool is_dead() const noexcept { return liveness == Liveness::dead; }
};

/// Processes, each looked up once: a thousand streams name the same few.
class SHMIM_EXPORT ProcessTable {
 public:
  ProcessTable() = default;
  /// Processes of another host, or another time, as they were told of: none is looked for, since
  /// its PID may be anybody's here.
  explicit ProcessTable(const std::vector<Process>& told);
  /// By the PIDs that we see. Nobody for a PID below 1.
  const Process& look_up(pid_t pid);
  /// Of one that `stream` says reads or writes it: where we see none of that PID, what the stream
  /// knows of processes elsewhere, here and from now on.
  const Process& look_up(pid_t pid, const Stream& stream);
  /// Those that were looked up, or told of.
  [[nodiscard]] std::vector<Process> known() const;
  /// Forgets what it knows, which is as old as the first look; but not what it was told.
  void forget() noexcept {
    if (!is_told_) {
      known_.clear();
    }
  }

 private:
  std::map<pid_t, Process> known_;
  bool is_told_ = false;
};

/// Which clock a stream's stamps were read from.
enum class StampClock {
  tai,      ///< CLOCK_TAI, ahead of UTC by the kernel's offset
  utc,      ///< another program's choice: UTC, although the kernel has an offset
  same,     ///< the kernel has no offset: the two are one
  unknown,  ///< nothing tells; taken for TAI
};
/// Tells the clock by the creation time of a stream and that of its file, which is in UTC.
[[nodiscard]] SHMIM_EXPORT StampClock clock_of(Tai created, Tai file_created,
                                               std::chrono::seconds offset) noexcept;
/// The same of a stream.
[[nodiscard]] SHMIM_EXPORT StampClock clock_of(const Stream& stream) noexcept;
/// A stamp of that clock on the clock that stamps should be of.
[[nodiscard]] SHMIM_EXPORT Tai on_tai(Tai stamp, StampClock clock) noexcept;
/// The time it is on that clock.
[[nodiscard]] SHMIM_EXPORT Tai now_on(StampClock clock) noexcept;
/// A stamp of that clock in UTC, as to_utc() writes it.
[[nodiscard]] SHMIM_EXPORT std::string to_utc(Tai stamp, StampClock clock);

struct SemaphoreState {
  int value = 0;
  bool saturated = false;  ///< at layout::semaphore_max: writers post it no more
  Process reader;
  Process poster;
  std::uint32_t control = 0;
  std::uint32_t status = 0;
};

/// Why a file is not a readable stream.
struct Unreadable {
  Problem problem = Problem::failed;
  std::string why;
};

/// A stream file as it stands, whole. Looking at it disturbs nobody: it is mapped read-only, and no
/// semaphore is claimed.
struct SHMIM_EXPORT Description {
  std::string name;
  std::filesystem::path path;
  std::optional<std::string> target;  ///< where the name is a symbolic link: what it says
  std::uint64_t file_bytes = 0;
  Identity identity;
  std::optional<Unreadable> unreadable;

  // All that follows is of readable streams only.
  Format format;
  layout::Metadata header{};
  /// How the counters, times and trace were read. Not whole: they may be of two frames.
  FrameState state = FrameState::whole;
  StampClock clock = StampClock::unknown;
  Tai looked = never;  ///< when the counters and times were read, on that clock
  /// When the newest frame was written, as Stream::written() says. In Watched, where it never says,
  /// when we saw that it was there.
  Tai written = never;
  Process writer;  ///< of the newest frame
  /// The trace is of the newest frame. Not, where its writer records none and one before it did.
  bool is_traced = false;
  Process creator;  ///< 0 where none is named
  Process owner;    ///< 0 if none is named, or header.owner_pid says that it belongs to no process
  Process claimer;  ///< who has claimed to be its only writer
  std::vector<SemaphoreState> semaphores;
  int log_semaphore = 0;
  std::vector<Keyword> keywords;
  /// The steps that led to the newest frame, or to an older one if is_traced says so; newest first.
  std::vector<TraceEntry> trace;

  [[nodiscard]] bool is_dangling() const noexcept;
  /// Of a readable stream; nullopt if it is not readable.
  [[nodiscard]] std::optional<DataType> type() const noexcept {
    return unreadable ? std::nullopt : std::optional(format.type);
  }
  [[nodiscard]] Tai acquired() const noexcept { return to_tai(header.atime); }
  [[nodiscard]] Tai created() const noexcept { return to_tai(header.creationtime); }
  /// Time from a stamp of this stream to the look at it; nullopt if it was never set, or
  /// is out of range.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> age(Tai stamp) const noexcept;
  /// Processes that have claimed a semaphore and are not known to be dead, each once.
  [[nodiscard]] std::vector<Process> readers() const;
  /// Semaphores that writers post no more.
  [[nodiscard]] unsigned saturated() const noexcept;
};

/// Describes the file at `path`, whatever it is: why it is not a readable stream is told in the
/// description, not thrown. Blocks for 1 ms at most if a writer is in mid-frame, and as
/// Keywords::all() does.
[[nodiscard]] SHMIM_EXPORT Description describe(const std::filesystem::path& path,
                                                ProcessTable& processes);
/// Describes a stream that is open, as it stands. Blocks for 1 ms at most if a writer is in
/// mid-frame, and as Keywords::all() does.
[[nodiscard]] SHMIM_EXPORT Description describe(const Stream& stream, ProcessTable& processes);

}  // namespace shmim
