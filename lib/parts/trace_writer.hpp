#pragma once

#include <cstdint>
#include <span>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/layout.hpp"
#include "shmim/trace.hpp"

namespace shmim {

/// What a writer does to the trace. All of it is for one that holds the write flag.
class TraceWriter {
 public:
  explicit TraceWriter(std::span<layout::TraceSlot> slots) noexcept : slots_(slots) {}

  /// What the mark of a writer at work takes the place of.
  struct Mark {
    pid_t pid = 0;
    std::int64_t seconds = 0;
  };
  [[nodiscard]] Mark mark() const noexcept;
  /// Marks entry 0 as that of a writer at work, as the first thing under the flag. False if
  /// somebody took that writer for the one of `found`, the mark it met, and took over from it.
  [[nodiscard]] bool begin(Mark found, pid_t pid) const noexcept;
  /// Takes the mark away again, where nothing else was changed.
  void restore(Mark mark) const noexcept;
  /// Marks entry 0 as that of a writer that has left its frame unfinished.
  void give_up(pid_t pid) const noexcept;
  /// Makes `pid` the writer in the place of `from`, which died or gave up. Of several that try, one
  /// succeeds (or all, if there are no entries).
  [[nodiscard]] bool take_over(pid_t from, pid_t pid) const noexcept;
  /// Likewise where a writer of whom nothing is known left the flag up: `found` is the entry's mark
  /// as it was, of a frame that is done.
  [[nodiscard]] bool take_over(Mark found, pid_t pid) const noexcept;

  /// Entry 0 alone.
  void record(const TraceEntry& newest) const noexcept;
  /// Entry 0, followed by its ancestors, as many as there is room for; the rest is emptied.
  void record(const TraceEntry& newest, std::span<const TraceEntry> ancestors) const noexcept;
  /// The time and then the PID of entry 0, which takes the mark away: once all else of the frame is
  /// done, just before the flag is cleared.
  void finish(Tai written, pid_t pid) const noexcept;

 private:
  std::span<layout::TraceSlot> slots_;
};

}  // namespace shmim
