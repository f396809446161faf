#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/segment.hpp"
#include "shmim/selection.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/stream.hpp"

namespace shmim {

class WriteGuard;

/// What each frame of a Publisher is, and what comes with it.
struct PublishOptions {
  Slice slice;                         ///< part of the frame that is written; empty: all of it
  std::optional<std::uint32_t> plane;  ///< z plane that a frame is; a circular stream: the next
  std::vector<Keyword> keywords;       ///< set with each frame
  std::optional<Tai> atime;            ///< when the data was acquired; else the time of writing
  std::optional<pid_t> pid;            ///< whose PID the trace gets; else this process's
  SemaphoreSet posts = SemaphoreSet::all();
  bool claim = false;  ///< be the exclusive writer for as long as the Publisher lives
};

/// Publishes frames to one stream, and keeps what a writer owes to others: it respects the claim of
/// an exclusive writer, as every WriteGuard does, goes on with a stream that is re-created in the
/// same type and size, and sets keywords without holding readers up. Owns its stream. Not
/// thread-safe: one per thread.
class SHMIM_EXPORT Publisher {
 public:
  /// Throws Error: claimed (another process is the exclusive writer), usage (the slice or the plane
  /// does not fit, there is no such semaphore), not_ours_to_write.
  explicit Publisher(Stream stream, PublishOptions options = {});

  /// The stream that the next frame goes to, unless it is re-created before.
  [[nodiscard]] const Stream& stream() const noexcept { return stream_; }
  /// Type, shape and bytes of the pixels that publish() takes.
  [[nodiscard]] DataType type() const noexcept { return selection_.type(); }
  [[nodiscard]] Shape frame_shape() const;
  [[nodiscard]] std::uint64_t frame_bytes() const;

  /// When the data of the frames from now on was acquired; nullopt: when they are written.
  void set_atime(std::optional<Tai> atime) noexcept { options_.atime = atime; }
  /// When the frames from now on were written, and by whom, of copies that are to say it of the
  /// original; nullopt: when and by whom they are.
  void set_written(std::optional<Tai> written, std::optional<pid_t> pid) noexcept {
    written_ = written;
    options_.pid = pid;
  }
  /// The keywords that are set with each frame from now on. Throws Error: usage (one does not fit),
  /// not_ours_to_write.
  void set_keywords(std::vector<Keyword> keywords);
  /// How many frames before the next one are lost: they are counted with it, and a follower finds
  /// them missed. More than can be counted are an Error (failed) of publish().
  void set_lost(std::uint64_t frames) noexcept { lost_ = frames; }
  /// What caused the frames from now on, for their trace; nullopt: nothing.
  void set_trigger(std::optional<Trigger> trigger) { trigger_ = std::move(trigger); }

  /// Publishes a frame of frame_shape() in type(); without pixels, a full update of what is there.
  /// Gives its cnt0. Waits for a writer in mid-frame, one second at most, and for keywords that
  /// others are writing, 20 ms at most. Throws Error: usage (pixels of another size), unfinished
  /// (half a frame of a dead writer is there, and only a whole frame mends it), removed, mismatch
  /// (re-created with another format), claimed (by another process meanwhile), busy (another writer
  /// is in mid-frame), failed (no slot left for a keyword), wrong_size (the file was cut short).
  std::uint64_t publish(std::span<const std::byte> pixels);

 private:
  void check() const;
  void claim();
  void prepare_keywords();
  void follow_recreation();
  void write(WriteGuard& guard, std::span<const std::byte> pixels) const;
  [[nodiscard]] bool is_plane() const noexcept;
  Stream stream_;
  PublishOptions options_;
  Selection selection_;
  std::optional<KeywordWriter> keywords_;
  std::optional<Claim> claim_;
  std::optional<Trigger> trigger_;
  std::optional<Tai> written_;
  std::uint64_t lost_ = 0;  ///< before the next frame
};

}  // namespace shmim
