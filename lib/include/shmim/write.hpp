#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// The writing of one frame. Holds the stream's write flag from construction to publish().
/// Destroyed without either publish() or cancel(), by an exception say, it leaves the stream marked
/// as holding an unfinished frame: readers tell it from a whole one, and the next writer repairs
/// it.
class SHMIM_EXPORT WriteGuard {
 public:
  /// Waits for its turn while another writer is in mid-frame; takes over at once from one that died
  /// or gave up. Throws Error: not_ours_to_write, on_gpu, busy (naming the writer).
  WriteGuard(const Stream& stream, Deadline deadline);
  /// Waits a second at most.
  explicit WriteGuard(const Stream& stream);
  ~WriteGuard();
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;
  WriteGuard(WriteGuard&&) = delete;
  WriteGuard& operator=(WriteGuard&&) = delete;

  /// The whole array.
  [[nodiscard]] std::span<std::byte> pixels() const noexcept { return pixels_; }
  /// One z plane of it, the slice that publish() will name in cnt1.
  [[nodiscard]] std::span<std::byte> slice(std::uint32_t z) noexcept;
  /// Copies a whole frame into the array, and at once into the circular buffer where there is one,
  /// which is faster than to copy it there from the array at publication; so what is stored in
  /// pixels() afterwards does not get there. `frame` has pixels().size().
  void write(std::span<const std::byte> frame) noexcept;
  /// True where the array holds parts of a frame that was never finished, so that only a frame
  /// written whole makes it good again. (Where there is a circular buffer, its newest frame has
  /// been put back.)
  [[nodiscard]] bool needs_whole_frame() const noexcept { return unfinished_; }

  /// When the data was acquired; the time of writing where it is not set.
  void set_atime(Tai atime) noexcept { atime_ = atime; }
  /// What triggered this frame; it must outlive publish().
  void set_trigger(const Trigger& trigger) noexcept { trigger_ = &trigger; }
  /// Whose PID the trace is given, for a process that writes on behalf of another.
  void set_pid(pid_t pid) noexcept { pid_ = pid; }

  /// Shows the frame: times, circular buffer, trace, cnt0 + 1, the flag, then the posts, so that
  /// whoever is woken sees all of it. Gives the new cnt0.
  std::uint64_t publish(const SemaphoreSet& posts) noexcept;
  std::uint64_t publish() noexcept;
  /// Leaves the stream as it was found. For a writer that has touched no pixel.
  void cancel() noexcept;

 private:
  WriteGuard(const Stream& stream, const std::optional<Deadline>& deadline);
  void await_turn(Deadline deadline);
  void remember_mark() noexcept;
  void restore_newest_frame() noexcept;
  const Stream& stream_;
  layout::Metadata& header_;
  std::span<std::byte> pixels_;
  std::optional<std::uint32_t> slice_;
  std::optional<Tai> atime_;
  const Trigger* trigger_ = nullptr;
  pid_t pid_;
  /// What the mark of this writer in the trace takes the place of.
  struct Mark {
    pid_t pid = 0;
    std::int64_t seconds = 0;
  };
  Mark before_;
  bool unfinished_ = false;
  bool in_buffer_ = false;  ///< the frame is in the circular buffer's next slot already
  bool open_ = true;
};

}  // namespace shmim
