#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shmim/element.hpp"
#include "shmim/export.hpp"
#include "shmim/fits.hpp"
#include "shmim/format.hpp"
#include "shmim/frame_info.hpp"
#include "shmim/keywords.hpp"
#include "shmim/trace.hpp"

// A recording is a plain FITS file, as shmim-recording(5) has it: the frames are the image of the
// primary HDU, one behind the other along its last axis, and the table FRAMES behind it has a row
// for each. While it is written it is called .NAME.part, and .NAME.times beside it has what will be
// in the table; NAME is given to what is whole.

namespace shmim {

/// What had frames recorded that were held in memory until then.
struct RecordedTrigger {
  std::string what;    ///< `lost`, `keyword:LOOP=open`, `SIGUSR1`
  std::string stream;  ///< in which it was seen; empty: it was no stream's
  Tai time = never;    ///< when
};

/// What is recorded, apart from the frames themselves.
struct RecordedStream {
  std::string name;
  DataType type = DataType::uint8;
  Shape shape;  ///< of a frame
  std::uint64_t image_type = layout::image_math_data;
  std::vector<Keyword> keywords;  ///< as they are at the beginning
  std::vector<TraceEntry> trace;  ///< of the first frame, newest first
  std::optional<RecordedTrigger> trigger;

  /// Of the pixels of a frame.
  [[nodiscard]] std::uint64_t frame_bytes() const noexcept {
    return shape.elements() * element_size(type);
  }
};

/// How the pixels get to the disk.
enum class DirectIo {
  if_possible,
  on,  ///< an Error (failed) where the file system has none
  off,
};

struct RecordingOptions {
  bool replaces = false;  ///< a file of that name gives way, once the recording is whole
  DirectIo direct = DirectIo::if_possible;  ///< past the cache of the system
};

/// Writes one recording. Not thread-safe. Where it is destroyed unfinished, or the process dies,
/// repair_recording() makes a whole file of what is on disk.
class SHMIM_EXPORT RecordingWriter {
 public:
  /// Throws Error: usage (no file can have this name), exists (there is such a file, or another
  /// recording under way or left behind), no_space, no_permission, failed; then nothing is left.
  RecordingWriter(const std::filesystem::path& file, const RecordedStream& stream,
                  RecordingOptions options = {});
  ~RecordingWriter();
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter(RecordingWriter&&) noexcept;
  RecordingWriter& operator=(const RecordingWriter&) = delete;
  RecordingWriter& operator=(RecordingWriter&&) noexcept;

  /// Appends a frame: its pixels, how many before it are lacking, and the keywords that the stream
  /// had. Pixels are written some megabytes at a time: a call may block for as long as the disk
  /// takes for them. Throws Error: usage (pixels of another size), no_space, failed; after the last
  /// two no more can be written, and what came before can be finished.
  void write(const FrameInfo& info, std::uint64_t missed, const std::vector<Keyword>& keywords,
             std::span<const std::byte> pixels);
  /// Hands over to the system what has been kept for a larger piece: then a process that is killed
  /// loses none of it. Blocks, and throws, as write() does.
  void flush();
  /// Blocks until all frames are on the disk, and would survive a loss of power.
  void sync();
  /// Makes the file whole, on the disk, and gives it its name. Where the disk has no room for the
  /// table the last frames give way to it: see frames(). Throws Error: exists, no_space, failed;
  /// what has been written stays, for repair_recording().
  void finish();
  /// Removes what has been written.
  void discard();

  [[nodiscard]] std::uint64_t frames() const noexcept;  ///< in the file
  [[nodiscard]] std::uint64_t bytes() const noexcept;   ///< of their pixels

 private:
  class Files;
  std::unique_ptr<Files> files_;
};

/// Throws what the constructor of a RecordingWriter of that name would, as far as can be told
/// before: no_directory, exists.
SHMIM_EXPORT void require_room_for_recording(const std::filesystem::path& file,
                                             const RecordingOptions& options);

/// Makes a whole file of a recording that was left unfinished, up to the last frame on disk, and
/// gives it its name. `file` is that name, or the name of one of the two files that were left.
/// Gives the number of frames. Throws Error: not_found (none was left), exists, claimed (it is
/// being written), failed, no_space.
SHMIM_EXPORT std::uint64_t repair_recording(const std::filesystem::path& file,
                                            bool replaces = false);

/// Writes a recording from its first byte to its last, for a pipe as well as for a file, of a
/// number of frames that is known before the first. Not thread-safe. The header then has the
/// keywords as they were with the first frame, and neither MISSED, LOSTn nor DATE-END; the table
/// has all. What it tells of each frame is kept in a temporary file until then.
class SHMIM_EXPORT RecordingSequence {
 public:
  /// `write` is given all bytes, in order; what it throws goes through. Throws Error (no_space,
  /// failed).
  RecordingSequence(RecordedStream stream, std::uint64_t frames, WriteBytes write);
  ~RecordingSequence();
  RecordingSequence(const RecordingSequence&) = delete;
  RecordingSequence(RecordingSequence&&) noexcept;
  RecordingSequence& operator=(const RecordingSequence&) = delete;
  RecordingSequence& operator=(RecordingSequence&&) noexcept;

  /// The next frame, as RecordingWriter::write() takes it. Throws Error: usage (pixels of another
  /// size; there are as many frames as were to be), no_space, failed.
  void write(const FrameInfo& info, std::uint64_t missed, const std::vector<Keyword>& keywords,
             std::span<const std::byte> pixels);
  /// Writes the table, behind the last frame that was written whole. Gives the header as it is now,
  /// of the same size: whoever can writes it over the first bytes. Where fewer frames came than
  /// were to, it must be, and the table stands at bytes(). Empty, and nothing is written, where
  /// none came.
  [[nodiscard]] std::vector<std::byte> finish();

  [[nodiscard]] std::uint64_t frames() const noexcept;  ///< written whole
  [[nodiscard]] std::uint64_t bytes() const noexcept;   ///< of them, and of the header

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The name of the file that .NAME.part or .NAME.times was left of; any other name as it is.
[[nodiscard]] SHMIM_EXPORT std::filesystem::path recording_name(const std::filesystem::path& file);
/// True where a recording of that name was left unfinished, or is under way.
[[nodiscard]] SHMIM_EXPORT bool is_unfinished(const std::filesystem::path& file);

/// A frame of a recording, without its pixels.
struct RecordedFrame {
  FrameInfo info;
  std::uint64_t missed = 0;       ///< frames before it that are lacking
  std::vector<Keyword> keywords;  ///< all that the stream had, as they were with this frame
};

/// Reads a recording, compressed or not. Not thread-safe.
class SHMIM_EXPORT Recording {
 public:
  /// Opens a whole recording. Throws Error: not_an_image (it is FITS, and none), failed, and what
  /// open_fits() throws.
  explicit Recording(const std::filesystem::path& file);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording(Recording&&) noexcept;
  Recording& operator=(const Recording&) = delete;
  Recording& operator=(Recording&&) noexcept;

  /// The stream, with the keywords that did not change. Its trace and its trigger are not known.
  [[nodiscard]] const RecordedStream& stream() const noexcept;
  [[nodiscard]] std::uint64_t frames() const noexcept;
  /// TAI minus UTC on the machine that recorded: what to take from a time for UTC. This machine's
  /// where the file does not say.
  [[nodiscard]] std::chrono::seconds tai_offset() const noexcept;
  /// What is in the row of frame `index`, from 0. Throws Error: usage (there is no such frame),
  /// failed.
  [[nodiscard]] RecordedFrame frame(std::uint64_t index) const;
  /// Reads the pixels of frame `index`, as many as frame_bytes(). Throws as frame() does.
  void read(std::uint64_t index, std::span<std::byte> pixels) const;

 private:
  class File;
  std::unique_ptr<File> file_;
};

/// What became of a recording that was to be compressed.
struct CompressedRecording {
  enum class End {
    done,
    was_compressed,
    not_smaller,  ///< compressed it would take as much room, or more
    impossible,   ///< 64-bit integers cfitsio does not compress; four axes not everybody reads
    cancelled,
  };
  End end = End::done;  ///< all but `done` have left it as it was
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes = 0;
};

/// Puts in the place of a whole recording one with its frames in compressed tiles, exact to the
/// bit: integers by RICE, floats by GZIP_2. It was read again and compared, and is on the disk,
/// before it gets the name; there is always one of the two by that name, and whole. Meanwhile it is
/// called .NAME.fz, which whoever is killed leaves, and the next one overwrites. `goes_on` is asked
/// often, and told how much is done, 0 to 1: false ends it. May run for minutes; other threads may
/// write recordings meanwhile. Throws Error: claimed (it is being compressed already), no_space,
/// no_permission, failed, and what Recording does; then the recording is as it was.
[[nodiscard]] SHMIM_EXPORT CompressedRecording compress_recording(
    const std::filesystem::path& file, const std::function<bool(double done)>& goes_on = {});

/// True of a FITS file that has the table of a recording.
[[nodiscard]] SHMIM_EXPORT bool is_recording(const std::filesystem::path& file);

}  // namespace shmim
