#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
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
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(TriggerMode mode) noexcept;
/// `received`, `timed out`...; `-` for none.
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(TriggerStatus status) noexcept;

/// How far the process of a trace entry has got with its frame.
enum class Writing {
  done,      ///< it published the frame
  begun,     ///< it is in the middle of writing, or died there
  given_up,  ///< it stopped in the middle, alive or not, and left the frame unfinished
};
/// `done`, `begun`, `given up`.
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(Writing writing) noexcept;

/// One step in the making of a frame: a process that wrote a stream, and what made it do so. While
/// the frame is not done, only `pid` and `writing` are certain to be of it: what triggered its
/// writer is stored at publication, and until then is that of the frame before.
struct TraceEntry {
  pid_t pid = 0;  ///< of the writer, above 0; 0 in an entry that is not in use
  Writing writing = Writing::done;
  ino_t trigger_inode = 0;  ///< of the stream that triggered it; 0 none
  TriggerMode mode = TriggerMode::immediate;
  TriggerStatus status = TriggerStatus::none;
  std::int32_t semaphore = -1;  ///< index in the trigger stream; -1 none
  std::uint64_t cnt0 = 0;       ///< the trigger stream's, at trigger
  Tai triggered{};              ///< when the process was triggered
  std::optional<Tai> written;   ///< when it wrote the stream; nullopt unless it is done

  friend bool operator==(const TraceEntry&, const TraceEntry&) = default;
};

/// The steps that led to the newest, newest first. What stands behind a step that nothing triggered
/// was left by an older frame: a writer without a trigger writes the first entry and no more.
[[nodiscard]] SHMIM_EXPORT std::span<const TraceEntry> chain_of(
    std::span<const TraceEntry> trace) noexcept;

/// Time from one step of a trace (newest first) to what triggered it: from the writing of the
/// trigger's frame if the trace tells, else from the trigger; nullopt if nothing triggered it, or
/// its frame is not done.
[[nodiscard]] SHMIM_EXPORT std::optional<std::chrono::nanoseconds> latency_of(
    std::span<const TraceEntry> trace, std::size_t step);
/// Time from the oldest step of a trace's chain to the newest; nullopt if there is one step that
/// nothing triggered, or the newest frame is not done.
[[nodiscard]] SHMIM_EXPORT std::optional<std::chrono::nanoseconds> end_to_end(
    std::span<const TraceEntry> trace);

/// Time from the frame of the stream with inode `cause` that led to the newest step to that step;
/// nullopt if none did, or the newest frame is not done.
[[nodiscard]] SHMIM_EXPORT std::optional<std::chrono::nanoseconds> delay_from(
    std::span<const TraceEntry> trace, ino_t cause);

/// The process trace of a stream: a view, which keeps the stream mapped. Entry 0 is the newest
/// writer, the last its oldest ancestor. Written between write = 1 and write = 0 only; read it
/// within a snapshot to have one whole trace.
class SHMIM_EXPORT Trace {
 public:
  /// `stream` keeps the mapping as long as this view is there.
  explicit Trace(std::span<const layout::TraceSlot> slots,
                 std::shared_ptr<const void> stream = {}) noexcept
      : slots_(slots), stream_(std::move(stream)) {}
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  /// The entries in use, newest first.
  [[nodiscard]] std::vector<TraceEntry> entries() const;
  /// Entry 0; nullopt if nobody has written the stream yet, or it has no room for a trace.
  [[nodiscard]] std::optional<TraceEntry> newest() const noexcept;

 private:
  std::span<const layout::TraceSlot> slots_;
  std::shared_ptr<const void> stream_;
};

}  // namespace shmim
