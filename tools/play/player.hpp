#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"
#include "common/print/spread.hpp"
#include "play/read_ahead.hpp"

namespace shmim::tools {

/// How long publishing a frame of a stream takes: the median of the last times.
class Lead {
 public:
  void add(std::chrono::nanoseconds took) noexcept;
  [[nodiscard]] std::chrono::nanoseconds value() const noexcept { return median_; }

 private:
  std::array<std::chrono::nanoseconds, 15> times_{};
  std::size_t count_ = 0;
  std::chrono::nanoseconds median_{0};
};

/// What is known of a frame that goes on with it.
struct Carried {
  bool atime = true;
  bool keywords = true;
};

/// One file, played to one stream.
class Track {
 public:
  Track(std::string file, std::unique_ptr<Playable> frames, WantedFrames wanted,
        Publisher publisher, Carried carried);

  [[nodiscard]] ReadAhead& reading() noexcept { return reading_; }
  [[nodiscard]] const std::string& stream() const { return publisher_.stream().name(); }
  /// How long before its moment the publishing of a frame is to begin.
  [[nodiscard]] std::chrono::nanoseconds lead() const noexcept { return lead_.value(); }

  /// Publishes a frame that is due then. Throws as Publisher does, and says after how many frames.
  void publish(const ReadAhead::Frame& frame, std::chrono::steady_clock::time_point due,
               bool was_read_late);

  /// How well the times were kept: `run.fits: 100 frames to cam in 1s; ...`, without the file.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] Record record() const;
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

 private:
  void carry_on(const RecordedFrame& frame);
  [[nodiscard]] Seconds duration() const noexcept { return Seconds(end_ - begin_); }
  std::string file_;
  Publisher publisher_;
  Carried carried_;
  std::vector<Keyword> keywords_;  ///< that were set with the frame before
  Lead lead_;
  Spread errors_;  ///< of the times
  std::uint64_t frames_ = 0;
  std::uint64_t missed_ = 0;     ///< in gaps
  std::uint64_t read_late_ = 0;  ///< frames
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point end_;
  ReadAhead reading_;
};

/// Plays tracks on one time line, `speed` times as fast as it is: each frame in its time, none left
/// out. Throws Interrupted, and what reading and publishing throw.
void play(std::vector<std::unique_ptr<Track>>& tracks, const TimeLine& time_line, double speed);

}  // namespace shmim::tools
