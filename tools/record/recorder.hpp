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

#include <shmim/frame_queue.hpp>
#include <shmim/recording.hpp>
#include <shmim/shmim.hpp>

#include "common/app/context.hpp"
#include "common/app/patience.hpp"
#include "record/file_names.hpp"
#include "record/file_series.hpp"
#include "record/flight_recorder.hpp"
#include "record/reporter.hpp"
#include "record/trigger_watch.hpp"
#include "record/triggers.hpp"

namespace shmim::tools {

/// What the command line asks for.
struct WantedRecording {
  std::optional<std::uint64_t> count;
  std::uint64_t decimation = 1;
  bool latest = false;
  FrameQueueOptions queue;
  Triggers triggers;
  WantedFiles files;
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
  Reporter& reporter;
  std::atomic<bool>& ends;  ///< all are to end
  FlightRecorder* flight;   ///< null where every frame is written
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
  /// What is held is to be written, and what comes until then. Thread-safe.
  void release(std::shared_ptr<const RecordedTrigger> trigger,
               std::chrono::steady_clock::time_point until);
  /// Frames that are held. Thread-safe.
  [[nodiscard]] std::size_t held() const;
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
  [[nodiscard]] Arrival await(QueuedFrame& frame);
  void look_at(const TakenFrame& taken);
  [[nodiscard]] std::shared_ptr<const std::vector<Keyword>> keywords_now();
  void note_shortfall();

  // In the thread that writes.
  void write();
  void write_until_end();
  /// How many frames that the file was given the disk had no room for.
  std::uint64_t end_file();
  void end_whole_file();
  void note_overrun();

  void lose(std::uint64_t first, std::uint64_t last, const char* why);
  void note(const std::string& message) const { run_.reporter.note(reference_.name, message); }
  void fail(std::exception_ptr failure) noexcept;
  [[nodiscard]] bool holds() const noexcept { return run_.flight != nullptr; }

  Run run_;
  Reference reference_;
  std::optional<Follower> follower_;
  std::optional<Selection> selection_;
  StampClock clock_ = StampClock::unknown;  ///< of its stamps; to tell it takes a system call
  ino_t inode_of_clock_ = 0;
  std::shared_ptr<FrameQueue> queue_;  ///< altered under mutex_
  std::optional<TriggerWatch> watch_;
  bool pauses_ = false;               ///< between looks for frames, which a large buffer has
  unsigned recreations_ = 0;          ///< of the stream that is watched
  std::vector<Keyword> as_they_are_;  ///< keywords of the stream with the last frame
  std::shared_ptr<const std::vector<Keyword>> keywords_;  ///< the same, as they are recorded
  bool has_told_shortfall_ = false;
  std::uint64_t taken_ = 0;        ///< from the stream
  std::uint64_t kept_ = 0;         ///< of them
  std::uint64_t passed_over_ = 0;  ///< since the last that was kept

  FileSeries files_;

  [[nodiscard]] std::shared_ptr<FrameQueue> queue() const;

  mutable std::mutex mutex_;  ///< of queue_, and of what follows
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
