#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// The writing of one frame. Holds the stream's write flag from construction to publish(). If it is
/// destroyed without either publish() or cancel(), by an exception say, and has handed out pixels,
/// it leaves the stream marked as holding an unfinished frame: readers tell it from a whole one,
/// and the next writer repairs it. Keeps the stream mapped. For one thread.
///
/// Another process's claim to be the only writer (Stream::claim_writing()) is respected; who holds
/// the claim may write. A look for one costs a system call and is taken every 10 ms at most, so a
/// writer that publishes all the time is refused 10 ms after the claim was made at the latest.
class SHMIM_EXPORT WriteGuard {
 public:
  /// Waits for its turn while another writer is in mid-frame, until the deadline; takes over at
  /// once from one that died or gave up. Throws Error: not_ours_to_write, on_gpu, claimed (naming
  /// the holder), busy (naming the writer).
  WriteGuard(Stream& stream, Deadline deadline);
  /// Waits a second at most.
  explicit WriteGuard(Stream& stream);
  WriteGuard(const Stream&& stream, Deadline deadline) = delete;
  explicit WriteGuard(const Stream&& stream) = delete;
  ~WriteGuard();
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;
  WriteGuard(WriteGuard&&) = delete;
  WriteGuard& operator=(WriteGuard&&) = delete;

  /// The whole array, Format::bytes() long; valid as long as the guard.
  [[nodiscard]] std::span<std::byte> pixels() noexcept {
    is_touched_ = true;
    return pixels_;
  }
  /// Plane `z` of it, counted from 0: the one that publish() will name in cnt1. Throws Error
  /// (usage) if there is no such plane.
  [[nodiscard]] std::span<std::byte> plane(std::uint32_t z);
  /// Copies a whole frame into the array, and at once into the circular buffer if there is one,
  /// which is faster than to copy it there from the array at publication; so what is stored in
  /// pixels() afterwards does not get there. Throws Error (usage) unless `frame` has the size of
  /// pixels().
  void write(std::span<const std::byte> frame);
  /// True if the array holds parts of a frame that was never finished, so that only a frame written
  /// whole makes it good again. (If there is a circular buffer, its newest frame has been put
  /// back.)
  [[nodiscard]] bool needs_whole_frame() const noexcept { return unfinished_; }

  /// When the data was acquired; the time of writing if it is not set.
  void set_atime(Tai atime) noexcept { atime_ = atime; }
  /// When the frame was written, of a copy that is to say when the original was; else now.
  void set_written(Tai written) noexcept { written_ = written; }
  /// What triggered this frame; it must outlive publish().
  void set_trigger(const Trigger& trigger) noexcept { trigger_ = &trigger; }
  void set_trigger(const Trigger&&) = delete;
  /// How many frames before this one are lost, at its source say: they are counted with it, so that
  /// a follower finds them missed. Throws Error (failed) for more than can be counted.
  void set_lost(std::uint64_t frames);
  /// Whose PID the trace is given, for a process that writes on behalf of another.
  void set_pid(pid_t pid) noexcept { pid_ = pid; }

  /// Shows the frame: times, circular buffer, trace, cnt0, the flag, then the posts, so that
  /// whoever is woken sees all of it. Gives the new cnt0. Does not block. Throws Error (usage), and
  /// shows nothing, if there is no semaphore of an index in `posts`, or this guard has published or
  /// cancelled already.
  std::uint64_t publish(const SemaphoreSet& posts);
  /// Posts all semaphores.
  std::uint64_t publish();
  /// Leaves the stream as it was found. For a writer that has touched no pixel.
  void cancel() noexcept;

 private:
  WriteGuard(Stream& stream, const Deadline* deadline);
  void await_turn(const Deadline* given);
  [[nodiscard]] bool put_mark() noexcept;
  void remember_mark() noexcept;
  void restore_newest_frame() noexcept;
  void require_open() const;
  std::uint64_t show(const SemaphoreSet& posts) noexcept;
  std::shared_ptr<const Stream::Core> core_;
  layout::Metadata& header_;
  std::span<std::byte> pixels_;
  std::optional<std::uint32_t> plane_;
  std::optional<Tai> atime_;
  std::optional<Tai> written_;
  std::uint64_t lost_ = 0;
  const Trigger* trigger_ = nullptr;
  pid_t pid_;
  /// What the mark of this writer in the trace takes the place of.
  struct Mark {
    pid_t pid = 0;
    std::int64_t seconds = 0;
  };
  Mark before_;
  bool unfinished_ = false;
  bool is_touched_ = false;  ///< the pixels may have been altered
  bool in_buffer_ = false;   ///< the frame is in the circular buffer's next slot already
  bool open_ = true;
};

}  // namespace shmim
