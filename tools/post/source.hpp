#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <shmim/frames.hpp>
#include <shmim/shmim.hpp>

#include "common/io/recognize.hpp"

namespace shmim::tools {

/// Where shmim-post takes its frames from: a class for each format.
class FrameSource {
 public:
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource(FrameSource&&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;
  FrameSource& operator=(FrameSource&&) = delete;
  virtual ~FrameSource() = default;

  /// Blocks until the next frame begins to arrive, or there is none any more.
  virtual void wait() {}
  /// Reads one whole frame; false at the end. Throws Error: failed (the data ends within a frame,
  /// or is none), mismatch (frames of another type or shape).
  virtual bool next(std::span<std::byte> frame) = 0;
  /// Puts into the frame that was read last what is known of it only now, as it is published.
  virtual void stamp(std::span<std::byte> /*frame*/) {}
  /// When the frame that was read last was acquired, where the source says so.
  [[nodiscard]] virtual std::optional<Tai> atime() const { return std::nullopt; }
  /// All that is known of the frame that was read last, where the source says so.
  [[nodiscard]] virtual const FrameRecord* record() const { return nullptr; }
  /// Begins again; false where that cannot be done.
  virtual bool rewind() = 0;
};

/// Type and shape of the frames that a stream takes.
struct FrameKind {
  DataType type;
  Shape shape;
  [[nodiscard]] std::size_t bytes() const { return shape.elements() * element_size(type); }
};

std::unique_ptr<FrameSource> raw_frames(std::unique_ptr<Input> input, const FrameKind& kind);
std::unique_ptr<FrameSource> text_frames(std::unique_ptr<Input> input, const FrameKind& kind);
std::unique_ptr<FrameSource> npy_frames(std::unique_ptr<Input> input, const FrameKind& kind);
/// What shmim-cat -o frames writes.
std::unique_ptr<FrameSource> recorded_frames(std::unique_ptr<Input> input, const FrameKind& kind);
/// One HDU after the other, as they come.
std::unique_ptr<FrameSource> fits_frames(std::unique_ptr<Input> input, const FrameKind& kind);
/// Of a file that cfitsio reads for itself, compressed ones and such as have an HDU in brackets
/// behind their name among them. All HDUs are checked here.
std::unique_ptr<FrameSource> fits_file_frames(const std::string& file, const FrameKind& kind);

/// Frames of a test pattern, without end. Those of a counter are numbered from `next_cnt0` on.
/// Throws Error (usage).
std::unique_ptr<FrameSource> pattern_frames(const std::string& pattern, const FrameKind& kind,
                                            std::uint64_t seed, std::uint64_t next_cnt0);

/// A file, or standard input for `-`, in the format that its first bytes show unless one is given.
/// Throws Error: failed (cannot open; compressed, where it cannot be read).
class FrameFile {
 public:
  FrameFile(std::string file, std::optional<FrameFormat> format);

  /// What a stream of its frames is, by the first of them; blocks until that begins to come, and
  /// takes nothing. Throws Error (failed) where they do not say.
  [[nodiscard]] Format format_of_first();
  /// Its frames, once. Throws Error: failed (not in that format; a regular file of raw frames whose
  /// last is not whole), mismatch (a file of frames of another type or shape), before any frame is
  /// read. Advice in a HintedError is for `stream`.
  [[nodiscard]] std::unique_ptr<FrameSource> frames(const FrameKind& kind,
                                                    const std::string& stream);

 private:
  [[nodiscard]] const Known* known();
  std::string file_;
  std::optional<FrameFormat> format_;  ///< that was given
  std::unique_ptr<Input> input_;       ///< null where cfitsio opens it by name
};

/// What the frames of an input say of the first of them, without that it is taken.
[[nodiscard]] Format format_of_npy(Input& input);
[[nodiscard]] Format format_of_recorded(Input& input);

/// Throws Error (mismatch) where an image is neither a frame of that kind nor, with an axis more,
/// several; else how many it is.
std::uint32_t frames_in(const Format& image, const FrameKind& kind, const std::string& name);

/// True where standard input is a regular file that `--data -` would take a frame of that kind
/// from, and that nobody has read from yet. A loop over the lines of a file has read one before its
/// body runs, a shell the script that it is given as `sh < script`; a pipe, a terminal and
/// /dev/null say nothing of what was meant. A frame of pixels that is printable is more likely a
/// text that a script was given. The file is left as it was.
bool stdin_holds_frames(const FrameKind& kind);

}  // namespace shmim::tools
