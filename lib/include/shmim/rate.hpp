#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// A frame's number and when it was written, as the stream says: what rates are measured from.
struct FrameTime {
  std::uint64_t cnt0 = 0;
  Tai written = never;  ///< never, where its writer stamps no time
  /// When we saw that it was there: what is left where its writer stamps no time.
  std::chrono::steady_clock::time_point seen{};
};

using Seconds = std::chrono::duration<double>;

/// How regularly frames came.
struct Rate {
  std::uint64_t frames = 0;  ///< counted from the first frame to the last, the first apart
  std::uint64_t missed = 0;  ///< of these, those that nobody saw
  /// Whether the times are those that the writer stamped; a frame that has none is passed over.
  /// Where most have none they are those at which we looked, which tell how many came in a second,
  /// and not how regularly.
  bool is_stamped = true;
  /// Frames per second; nullopt if no time went by between them.
  std::optional<double> hertz = 0;
  /// Mean interval, over all frames.
  std::optional<Seconds> mean;
  /// Of the intervals between frames that were seen one after the other.
  std::optional<Seconds> min;
  std::optional<Seconds> max;
  std::optional<Seconds> stddev;
  /// Root mean square distance of the write times from those of a perfectly regular writer. Needs
  /// the times of twenty frames, which may be far apart.
  std::optional<Seconds> jitter;
};

/// Of frames in order of cnt0.
[[nodiscard]] SHMIM_EXPORT Rate rate_of(std::span<const FrameTime> frames);

/// The frames of one stream, look by look.
class SHMIM_EXPORT FrameLog {
 public:
  /// Adds the frames after the last: the newest, and those before it that a circular buffer still
  /// has the times of. A counter that went back begins again. True if there was one.
  bool look(const Stream& stream);
  /// Forgets all but the last so many.
  void keep(std::size_t frames);
  /// In order of cnt0.
  [[nodiscard]] const std::vector<FrameTime>& frames() const noexcept { return frames_; }

 private:
  std::vector<FrameTime> frames_;
  FrameInfo newest_;  ///< the last of them
};

/// What ends watch_frames() before all have come.
struct WatchLimits {
  std::optional<std::chrono::nanoseconds> silence{};  ///< no frame for so long
  Deadline deadline{};
  std::function<bool()> cancelled{};  ///< asked a few times a second
};

/// Looks at a stream until `count` frames have come after the one that is there, a limit is met, or
/// it is no longer the stream of its name. Claims no semaphore.
[[nodiscard]] SHMIM_EXPORT std::vector<FrameTime> watch_frames(const Stream& stream,
                                                               std::uint64_t count,
                                                               const WatchLimits& limits);

}  // namespace shmim
