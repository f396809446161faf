#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <shmim/frame_queue.hpp>
#include <shmim/recording.hpp>

#include "record/file_names.hpp"
#include "record/reporter.hpp"

namespace shmim::tools {

class Compressor;

/// When a file ends and the next begins.
struct Split {
  std::optional<std::uint64_t> frames;
  std::optional<std::uint64_t> bytes;
  std::optional<std::chrono::nanoseconds> time;
};

/// What the command line says of files.
struct WantedFiles {
  RecordingOptions options;
  Split split;
  std::uint64_t reserve = 0;  ///< bytes to be left of the disk
  std::optional<std::chrono::nanoseconds> sync;
};

/// The files of one stream, one after the other. Not thread-safe.
class FileSeries {
 public:
  /// Whole files are given to `compressor`, if there is one. Throws Error where there can be no
  /// file. With `names_now` the first has its name from the beginning; else it is found when there
  /// is a frame.
  FileSeries(std::string stream, const WantedFiles& wanted, FileNames& names, bool names_now,
             Reporter& reporter, Compressor* compressor);

  /// What the frames are that come from now on, without keywords and trace.
  void set_format(RecordedStream format) { format_ = std::move(format); }
  /// Writes a frame, to another file where it begins one. Throws Error.
  void write(const QueuedFrame& frame);
  /// While no frame comes: little is to be lost to whoever is killed.
  void flush();
  /// Sees to what is to be done from time to time. Throws Error (no_space) where less is left of
  /// the disk than is wanted.
  void look_around();
  /// Ends the file, if there is one, and gives the number of frames that had no room.
  [[nodiscard]] std::uint64_t end();
  /// Of the file that there is, or was last.
  [[nodiscard]] const std::string& file_name() const noexcept { return file_name_; }

 private:
  void begin(const QueuedFrame& first);
  [[nodiscard]] bool is_over(const QueuedFrame& next) const;
  void look_at_disk();

  std::string stream_;
  WantedFiles wanted_;
  FileNames& names_;
  Reporter& reporter_;
  Compressor* compressor_;
  bool has_name_;  ///< the next file
  RecordedStream format_;
  std::optional<RecordingWriter> file_;
  std::string file_name_;
  ino_t inode_ = 0;                                 ///< of the stream that the file is of
  std::shared_ptr<const RecordedTrigger> trigger_;  ///< that had it written
  unsigned count_ = 0;
  std::uint64_t missed_ = 0;  ///< in the file
  std::uint64_t no_room_ = 0;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point last_look_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_sync_ = last_look_;
  bool has_warned_ = false;
};

}  // namespace shmim::tools
