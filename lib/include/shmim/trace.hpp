#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// How a process was triggered. The values are the codes in the file.
enum class TriggerMode : std::int32_t {
  immediate = 0,
  cnt0 = 1,
  cnt1 = 2,
  semaphore = 3,
  delay = 4,
  cnt2 = 6
};
enum class TriggerStatus : std::int32_t { none = 0, waiting = 1, received = 2, timed_out = 3 };

/// `semaphore`, `delay`...; `unknown` for a code there is none of.
SHMIM_EXPORT std::string_view to_string(TriggerMode mode) noexcept;
/// `received`, `timed out`...; `-` for none.
SHMIM_EXPORT std::string_view to_string(TriggerStatus status) noexcept;

/// One step in the making of a frame: a process that wrote a stream, and what made it do so.
struct TraceEntry {
  pid_t pid = 0;            ///< of the writer
  ino_t trigger_inode = 0;  ///< of the stream that triggered it; 0 none
  TriggerMode mode = TriggerMode::immediate;
  TriggerStatus status = TriggerStatus::none;
  std::int32_t semaphore = -1;  ///< index in the trigger stream; -1 none
  std::uint64_t cnt0 = 0;       ///< the trigger stream's, at trigger
  Tai triggered{};              ///< when the process was triggered
  Tai written{};                ///< when it wrote the stream

  /// True for the entry of a writer of ours in mid-frame, see Trace::begin_newest().
  [[nodiscard]] bool is_begun() const noexcept {
    return pid > 0 && written < std::chrono::seconds{1};
  }
};

/// The steps that led to the newest, newest first. What stands behind a step that nothing triggered
/// was left by an older frame: a writer without a trigger writes the first entry and no more.
SHMIM_EXPORT std::span<const TraceEntry> chain_of(std::span<const TraceEntry> trace) noexcept;

/// Time from one step of a trace (newest first) to what triggered it: from the writing of the
/// trigger's frame where the trace tells, else from the trigger; nothing where nothing triggered
/// it.
SHMIM_EXPORT std::optional<Tai> latency_of(std::span<const TraceEntry> trace, std::size_t step);
/// Time from the oldest step of a trace's chain to the newest; nothing where there is one step, and
/// nothing triggered it.
SHMIM_EXPORT std::optional<Tai> end_to_end(std::span<const TraceEntry> trace);

/// The process trace of a stream: a view, valid as long as the stream is. Entry 0 is the newest
/// writer, the last its oldest ancestor. Written between write = 1 and write = 0 only; read it
/// within a snapshot to have one whole trace.
class SHMIM_EXPORT Trace {
 public:
  explicit Trace(std::span<layout::TraceSlot> slots) noexcept : slots_(slots) {}
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  /// The entries in use, newest first.
  [[nodiscard]] std::vector<TraceEntry> entries() const;
  /// Entry 0 as it is, in use or not; nothing where there are no entries.
  [[nodiscard]] std::optional<TraceEntry> newest() const noexcept;
  /// Changes the PID in entry 0 in one step, if it is the one expected (or there are no entries).
  [[nodiscard]] bool exchange_writer(pid_t expected, pid_t pid) const noexcept;
  /// Entry 0 alone. For a writer that holds the write flag.
  void set_newest(const TraceEntry& entry) const noexcept;
  /// What the mark of a writer at work takes the place of.
  struct Mark {
    pid_t pid = 0;
    std::int64_t seconds = 0;
  };
  [[nodiscard]] Mark mark() const noexcept;
  /// Marks entry 0 as of a writer at work: its PID, and no time. For a writer that has just raised
  /// the write flag.
  void begin_newest(pid_t pid) const noexcept;
  /// Takes the mark away again, where nothing else was changed.
  void restore(Mark mark) const noexcept;
  /// The time and then the PID of entry 0, once all else of the frame is done, which takes the mark
  /// away. For a writer that is about to clear the write flag.
  void finish_newest(Tai written, pid_t pid) const noexcept;
  /// Entry 0, followed by its ancestors, as many as there is room for; the rest is emptied. For a
  /// writer that holds the write flag.
  void record(const TraceEntry& newest, std::span<const TraceEntry> ancestors) const noexcept;
  /// Marks every slot as without a semaphore, as the C library does. For a creator only.
  void initialise() const noexcept;

 private:
  std::span<layout::TraceSlot> slots_;
};

}  // namespace shmim
