#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// A frame's number and when it was written, as the stream says: what rates are measured from,
/// never the moments at which we happened to look.
struct FrameTime {
  std::uint64_t cnt0 = 0;
  Tai written{};
};

using Seconds = std::chrono::duration<double>;

/// How regularly frames came.
struct Rate {
  std::uint64_t frames = 0;  ///< counted from the first frame to the last, the first apart
  std::uint64_t missed = 0;  ///< of these, those whose write time nobody saw
  /// Frames per second; nullopt if the write times do not tell (a writer that does not set
  /// them).
  std::optional<double> hertz = 0;
  /// Mean interval, over all frames.
  std::optional<Seconds> mean;
  /// Of the intervals between frames that were seen one after the other.
  std::optional<Seconds> min;
  std::optional<Seconds> max;
  std::optional<Seconds> stddev;
  /// Root mean square distance of the write times from those of a perfectly regular writer. Needs
  /// three frames, which may be far apart.
  std::optional<Seconds> jitter;
};

/// Frames in order of cnt0.
[[nodiscard]] SHMIM_EXPORT Rate rate_of(std::span<const FrameTime> frames);

/// The newest frame.
[[nodiscard]] SHMIM_EXPORT FrameTime newest_frame(const Stream& stream) noexcept;

/// Adds to `seen` the frames after its last: the newest, and those before it that a circular buffer
/// still has the times of. A counter that went back begins again. True if there was one.
[[nodiscard]] SHMIM_EXPORT bool see_frames(const Stream& stream, std::vector<FrameTime>& seen);

/// Looks at a stream until `count` frames have come after the one that is there, the deadline
/// passes, `cancelled` says so, or it is no longer the stream of its name. Claims no semaphore.
[[nodiscard]] SHMIM_EXPORT std::vector<FrameTime> watch_frames(
    const Stream& stream, std::uint64_t count, Deadline deadline,
    const std::function<bool()>& cancelled);

}  // namespace shmim
