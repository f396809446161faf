#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <shmim/recording.hpp>
#include <shmim/shmim.hpp>

namespace shmim::tools {

/// A file of frames, as they can be played: a class for each format. What a format does not say of
/// a frame is as it is in a FrameInfo, but for cnt0: it counts from 1 then. Throws Error: failed
/// (it ends within a frame, or is none), mismatch (not all of its frames are of one type and
/// shape).
class Playable {
 public:
  Playable() = default;
  Playable(const Playable&) = delete;
  Playable(Playable&&) = delete;
  Playable& operator=(const Playable&) = delete;
  Playable& operator=(Playable&&) = delete;
  virtual ~Playable() = default;

  /// Type and shape of its frames, and what it says of their stream; the name may be empty.
  [[nodiscard]] const RecordedStream& stream() const noexcept { return stream_; }
  /// Slots that the keywords of its frames take.
  [[nodiscard]] virtual std::size_t keywords() const { return 0; }
  /// How far the TAI of its times is ahead of this machine's: of another, which knows UTC as well,
  /// and of TAI something else.
  [[nodiscard]] virtual std::chrono::seconds tai_ahead() const { return {}; }
  /// Frames are of this shape, if they can be: an array may be one frame or several.
  virtual void take_shape(const Shape& /*shape*/) {}

  /// Goes on to the next frame, without its pixels; nullopt at the end.
  virtual std::optional<RecordedFrame> next() = 0;
  /// Reads the pixels of that frame.
  virtual void read(std::span<std::byte> pixels) = 0;
  /// Begins again before the first.
  virtual void rewind() = 0;

 protected:
  /// What stream() gives, for whoever reads the file.
  RecordedStream& recorded() noexcept { return stream_; }
  [[nodiscard]] const RecordedStream& recorded() const noexcept { return stream_; }

 private:
  RecordedStream stream_;
};

std::unique_ptr<Playable> play_recording(const std::string& file);
/// Images of FITS: each is a frame, or with an axis more several.
std::unique_ptr<Playable> play_images(const std::string& file);
/// Arrays of NumPy, likewise.
std::unique_ptr<Playable> play_arrays(const std::string& file);
/// What shmim-cat -o frames writes.
std::unique_ptr<Playable> play_frames(const std::string& file);

/// The file in the format that its first bytes show. Throws Error: failed (it cannot be read, or is
/// none of these).
std::unique_ptr<Playable> open_playable(const std::string& file);

/// The shape of an array's frames where nothing is asked for: its planes, if it has three axes.
[[nodiscard]] Shape usual_frame(const Shape& array);

}  // namespace shmim::tools
