#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

struct PublishOptions {
  std::vector<Keyword> keywords;       ///< set with each frame
  std::optional<Tai> atime;            ///< the time of writing where it is not set
  std::optional<std::uint32_t> plane;  ///< z plane that a frame is
  std::shared_ptr<Stream> trigger;     ///< what causes the frames; may be null
  std::optional<pid_t> pid;            ///< whose PID the trace is given
  SemaphoreSet posts = SemaphoreSet::all();
  bool claim = false;  ///< be the only writer
};

/// Publishes frames to one stream. Goes on with a stream made anew under the same name and format.
class Publisher {
 public:
  /// Throws Error: claimed (somebody else is the only writer), usage (slice or plane do not fit, no
  /// such semaphore), not_ours_to_write.
  Publisher(Stream stream, Slice slice, PublishOptions options);

  /// What a frame given to publish() is.
  [[nodiscard]] DataType type() const noexcept { return selection_.type(); }
  [[nodiscard]] Shape frame_shape() const;

  /// Notes the trigger: now is when the next frame was caused.
  void note_trigger();
  /// Publishes a frame, or without pixels a full update of what is there. Throws Error: unfinished
  /// (only a whole frame can follow a half one), removed, mismatch (made anew with another format),
  /// claimed (by another process meanwhile).
  void publish(std::span<const std::byte> pixels);

 private:
  void check() const;
  void claim();
  void follow_replacement();
  void respect_claim();
  void write(WriteGuard& guard, std::span<const std::byte> pixels) const;
  [[nodiscard]] bool is_plane() const noexcept;
  Stream stream_;
  Slice slice_;
  PublishOptions options_;
  Selection selection_;
  std::optional<Claim> claim_;
  std::chrono::steady_clock::time_point looked_for_claim_ = std::chrono::steady_clock::now();
  std::optional<Trigger> trigger_;
};

}  // namespace shmim::tools
