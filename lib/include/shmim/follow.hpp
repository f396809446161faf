#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/stream.hpp"

namespace shmim {

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

struct FollowOptions {
  /// Claim this semaphore; any free one where it is not set.
  std::optional<unsigned> semaphore;
  /// Busy-wait this long before sleeping: trades a processor for microseconds.
  std::chrono::nanoseconds spin{0};
  /// Asked a few times a second and after every signal; true ends the waiting.
  std::function<bool()> cancelled;
};

/// Follows a stream from frame to frame. Claims a semaphore for its life where it may write,
/// watches cnt0 where it may not. A stream made anew with the same format is followed on.
class SHMIM_EXPORT Follower {
 public:
  /// Starts after the frame that is there now. Throws Error (claimed).
  explicit Follower(Stream stream, FollowOptions options = {});

  [[nodiscard]] const Stream& stream() const noexcept { return stream_; }
  /// cnt0 of the frame taken last.
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }
  /// Forgets, or pretends to have taken, frames up to this one.
  void set_seen(std::uint64_t cnt0) noexcept { seen_ = cnt0; }
  /// Index of the semaphore it waits on; nothing where it watches cnt0.
  [[nodiscard]] std::optional<unsigned> semaphore() const noexcept;
  /// Where wait() said recreated: `size is 4x4, not 8x8`.
  [[nodiscard]] const std::string& difference() const noexcept { return difference_; }
  /// How often the stream was made anew under us.
  [[nodiscard]] unsigned recreations() const noexcept { return recreations_; }

  /// Waits until cnt0 is no longer seen(), and sets seen() to what it is.
  [[nodiscard]] Arrival wait(Deadline deadline);
  /// Waits for one post of the semaphore, whether a frame came with it or not; one that came before
  /// counts. Throws Error (not_ours_to_write) where there is no semaphore to wait on.
  [[nodiscard]] Arrival wait_post(Deadline deadline);
  /// Drops the posts that are pending.
  void flush();

  /// Waits for a frame that has not been taken and copies it whole. `missed` is raised by the
  /// frames that were published but could not be taken.
  [[nodiscard]] Arrival next(FrameOrder order, Deadline deadline, const CopyFrame& copy,
                             FrameInfo& info, std::uint64_t& missed);

 private:
  void claim();
  [[nodiscard]] std::optional<Arrival> look_around();
  [[nodiscard]] std::optional<Arrival> look_for_successor();
  [[nodiscard]] bool has_seen_all() const noexcept;
  [[nodiscard]] Arrival wait_for_change(Deadline deadline);
  [[nodiscard]] bool take_in_order(const CopyFrame& copy, FrameInfo& info, std::uint64_t& missed);
  [[nodiscard]] bool take_newest(Deadline deadline, const CopyFrame& copy, FrameInfo& info,
                                 std::uint64_t& missed);
  Stream stream_;
  FollowOptions options_;
  std::optional<SemaphoreClaim> claim_;
  std::uint64_t seen_ = 0;
  std::string difference_;
  unsigned recreations_ = 0;
};

}  // namespace shmim
