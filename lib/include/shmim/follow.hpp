#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "shmim/circular_buffer.hpp"
#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/stream.hpp"
#include "shmim/trace.hpp"

namespace shmim {

class Backoff;

/// How waiting for a frame ended.
enum class Arrival {
  arrived,
  timed_out,
  interrupted,  ///< `cancelled` said so
  removed,      ///< the stream is gone
  recreated,    ///< with another format; difference() says in what
};

/// Which of the frames that are there to take.
enum class FrameOrder {
  every,   ///< in order, from the circular buffer if there is one
  latest,  ///< the newest, skipping what was missed
};

/// A frame as a Follower took it, without its pixels: its identity, which stays with it while newer
/// frames come.
struct SHMIM_EXPORT TakenFrame {
  /// Its writetime is what written_after() makes of it and of the frame taken before. Where its
  /// writer stamps no times they are never, and not those of an older frame.
  FrameInfo info;
  /// Frames published since the one taken before that could not be taken. Set whatever came.
  std::uint64_t missed = 0;
  ino_t inode = 0;                    ///< of its stream
  Tai taken = never;                  ///< when we were woken for it, or found it waiting
  std::optional<unsigned> semaphore;  ///< that the follower waits on
  /// The steps that led to this very frame, newest first. Empty if they are not known: there is
  /// room for one trace in a stream, so a frame that was taken from the circular buffer after newer
  /// ones had come has none any more, nor has one that no writer recorded.
  std::vector<TraceEntry> trace;

  /// What a process that was triggered by this frame should put in its trace, however much later it
  /// publishes: cnt0 of this frame, and its ancestors if they are known.
  [[nodiscard]] Trigger trigger() const;
};

struct FollowOptions {
  /// Wait on this semaphore and no other. Without one, on any that is free; and watch cnt0, every
  /// 100 us, where none is.
  std::optional<unsigned> semaphore;
  /// Watch cnt0, and leave the semaphores to others.
  bool passive = false;
  /// Of a stream in which z is time take the whole array each time, and not the plane that is new.
  bool whole_array = false;
  /// Busy-wait this long before sleeping: trades a processor for microseconds.
  std::chrono::nanoseconds spin{0};
  /// Asked a few times a second and after every signal; true ends the waiting.
  std::function<bool()> cancelled;
};

/// Follows a stream from frame to frame. Claims a semaphore for its life where it may write and one
/// is free, and watches cnt0 elsewhere. A stream that is re-created with the same format is
/// followed on.
class SHMIM_EXPORT Follower {
 public:
  /// Starts after the frame that is there now. Throws Error (claimed, not_ours_to_write) where the
  /// semaphore that the options ask for cannot be had.
  explicit Follower(Stream stream, FollowOptions options = {});

  [[nodiscard]] const Stream& stream() const noexcept { return stream_; }
  /// cnt0 of the frame taken last.
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }
  /// Forgets, or pretends to have taken, frames up to this one.
  void set_seen(std::uint64_t cnt0) noexcept { seen_ = cnt0; }
  /// Index of the semaphore it waits on; nullopt if it watches cnt0.
  [[nodiscard]] std::optional<unsigned> semaphore() const noexcept;
  /// `waits on semaphore 9`, or `watches cnt0: all 10 semaphores are claimed`.
  [[nodiscard]] std::string describe_waiting() const;
  /// Where wait() said recreated: `size is 4x4, not 8x8`.
  [[nodiscard]] const std::string& difference() const noexcept { return difference_; }
  /// How often the stream was re-created under us.
  [[nodiscard]] unsigned recreations() const noexcept { return recreations_; }

  /// Waits until cnt0 is not seen() any more, and sets seen() to what it is. Blocks until then, at
  /// most until the deadline; a stream that is re-created or removed by another program is noticed
  /// within 250 ms.
  [[nodiscard]] Arrival wait(Deadline deadline);
  /// Waits likewise, and tells of the newest frame what next() would, without its pixels. Its times
  /// are those of the frame that its cnt0 counts; to that end it waits 10 ms at most for a writer
  /// in mid-frame.
  [[nodiscard]] Arrival wait(Deadline deadline, TakenFrame& frame);
  /// Waits for one post of the semaphore, whether a frame came with it or not; one that came before
  /// counts. Throws Error (claimed, not_ours_to_write) if there is no semaphore to wait on.
  [[nodiscard]] Arrival wait_post(Deadline deadline);
  /// Drops the posts that are pending.
  void flush();

  /// Waits for a frame that has not been taken, and hands it whole to `copy`: a plane, where z is
  /// time. Blocks until there is
  /// one, at most until the deadline; and up to one second longer for a writer in mid-frame. Throws
  /// Error: busy (no whole frame in that second), wrong_size, on_gpu, claimed (the semaphore of a
  /// re-created stream).
  [[nodiscard]] Arrival next(FrameOrder order, Deadline deadline, const CopyFrame& copy,
                             TakenFrame& frame);

 private:
  void claim();
  [[nodiscard]] std::optional<Arrival> look_around();
  [[nodiscard]] std::optional<Arrival> look_for_successor();
  [[nodiscard]] bool has_seen_all() const noexcept;
  void begin_frame(TakenFrame& frame) const;
  void end_frame(TakenFrame& frame);
  [[nodiscard]] Arrival wait_for_change(Deadline deadline);
  [[nodiscard]] bool take(FrameOrder order, Backoff& backoff, const CopyFrame& copy,
                          TakenFrame& frame);
  [[nodiscard]] bool take_from_buffer(CircularBuffer::Position found, const CopyFrame& copy,
                                      TakenFrame& frame);
  [[nodiscard]] bool take_plane(FrameOrder order, const CopyFrame& copy, TakenFrame& frame);
  [[nodiscard]] bool take_newest(Deadline deadline, const CopyFrame& copy, TakenFrame& frame);
  [[nodiscard]] std::vector<TraceEntry> trace_of(std::uint64_t cnt0) const;
  void see(TakenFrame& frame) noexcept;
  Stream stream_;
  FollowOptions options_;
  std::optional<SemaphoreClaim> claim_;
  /// More posts were taken than frames counted: a count may follow that no post will tell of.
  bool expects_count_ = false;
  /// At the name and at the caller's wish to stop: from one wait to the next, however short each
  /// is.
  std::chrono::steady_clock::time_point last_look_{};
  std::uint64_t seen_ = 0;
  /// None of a re-created stream has been taken yet: those before were never there to be missed.
  bool is_first_of_stream_ = false;
  FrameInfo before_;  ///< as the header or the buffer had it, of the frame taken last
  std::string difference_;
  unsigned recreations_ = 0;
};

}  // namespace shmim
