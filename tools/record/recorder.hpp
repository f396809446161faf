#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <shmim/recording.hpp>
#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "common/app/patience.hpp"
#include "common/print/json.hpp"
#include "record/file_names.hpp"
#include "record/frame_queue.hpp"

namespace shmim::tools {

/// What a terminal takes for an empty line in the place of the one it shows.
inline constexpr const char* clear_line = "\r\033[K";

/// When a file ends and the next begins.
struct Split {
  std::optional<std::uint64_t> frames;
  std::optional<std::uint64_t> bytes;
  std::optional<std::chrono::nanoseconds> time;
};

/// What the command line asks for.
struct WantedRecording {
  std::optional<std::uint64_t> count;
  std::uint64_t decimation = 1;
  bool latest = false;
  Split split;
  std::uint64_t buffer = 0;
  std::uint64_t reserve = 0;
  std::optional<std::chrono::nanoseconds> sync;
  RecordingOptions files;
  std::optional<unsigned> taking_processor;
  std::optional<unsigned> writing_processor;
  std::optional<int> priority;
};

class Compressor;

/// What all recorders of a run have together.
struct Run {
  const Context& context;
  const WantedRecording& wanted;
  const Patience& patience;
  FileNames& names;
  bool shows_progress;      ///< on standard error, in a line that others must clear
  std::mutex& mutex;        ///< of names, and of what is said
  std::atomic<bool>& ends;  ///< all are to end
  Compressor* compressor;   ///< of whole files, if they are to be
};

/// Records one stream: a thread takes its frames, and another writes them.
class Recorder {
 public:
  /// Opens the stream. Throws Error.
  Recorder(const Run& run, Reference reference);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder(Recorder&&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  Recorder& operator=(Recorder&&) = delete;

  /// Begins to take frames, with the next.
  void start();
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
  /// Waits for the end, and tells what is lacking.
  [[nodiscard]] Exit join();

  [[nodiscard]] const Reference& reference() const noexcept { return reference_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return written_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return written_bytes_; }
  /// Of the buffer, 0 to 1.
  [[nodiscard]] double fill() const noexcept { return fill_; }

 private:
  // In the thread that takes.
  void open();
  void run();
  [[nodiscard]] bool take_until_recreated();
  [[nodiscard]] std::optional<Arrival> take_one();

  // In the thread that writes.
  void write();
  void write_one(QueuedFrame& frame);
  void begin_file(const QueuedFrame& first);
  void end_file();
  [[nodiscard]] bool is_file_over(const QueuedFrame& next) const;
  void look_at_disk();
  void note_overrun();

  void lose(std::uint64_t first, std::uint64_t last, const char* why);
  void note(const std::string& message) const;
  void tell(const Record& event) const;
  void fail(std::exception_ptr failure) noexcept;

  Run run_;
  Reference reference_;
  std::optional<Follower> follower_;
  std::optional<Selection> selection_;
  std::uint64_t image_type_ = 0;
  StampClock clock_ = StampClock::unknown;  ///< of its stamps; to tell it takes a system call
  ino_t inode_of_clock_ = 0;
  std::unique_ptr<FrameQueue> queue_;
  std::uint64_t taken_ = 0;        ///< from the stream
  std::uint64_t kept_ = 0;         ///< of them
  std::uint64_t passed_over_ = 0;  ///< since the last that was kept

  std::optional<RecordingWriter> file_;
  std::string file_name_;
  ino_t inode_ = 0;  ///< of the stream that the file is of
  unsigned files_ = 0;
  std::uint64_t missed_ = 0;  ///< in the file
  std::chrono::steady_clock::time_point file_begin_;
  std::chrono::steady_clock::time_point last_look_;
  std::chrono::steady_clock::time_point last_sync_;
  bool has_warned_ = false;

  std::mutex mutex_;  ///< of what follows
  std::uint64_t lost_frames_ = 0;
  std::vector<std::string> lost_ranges_;
  std::exception_ptr failure_;

  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> written_bytes_ = 0;
  std::atomic<double> fill_ = 0;
  std::atomic<bool> is_ending_ = false;  ///< since something has failed
  std::atomic<bool> has_ended_ = false;
  std::thread thread_;
};

}  // namespace shmim::tools
