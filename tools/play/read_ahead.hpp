#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "play/place.hpp"
#include "play/playable.hpp"

namespace shmim::tools {

/// A moment on the time line of what is played.
using Moment = std::chrono::nanoseconds;

/// When the frames of a file were: as recorded, or so many in a second.
struct TimeLine {
  std::optional<double> rate;

  /// Of the frame `index` of a file, counted from 0, whose TAI is so far ahead of this machine's.
  /// Throws Error (usage): it has no time.
  [[nodiscard]] Moment moment_of(const RecordedFrame& frame, std::uint64_t index,
                                 std::chrono::seconds tai_ahead, const std::string& file) const;
};

/// Which frames of a file are read, and how.
struct WantedFrames {
  std::string file;
  TimeLine time_line;
  std::optional<Place> from;  ///< the first
  std::optional<Place> to;    ///< the last
  Moment origin{};            ///< that offsets are from
  bool loops = false;
  std::size_t memory = 0;             ///< for the pixels, in bytes; but room for 4 frames at least
  std::optional<unsigned> processor;  ///< that the reading is done on
};

/// What a file has from its first frame to its last, once it has been read.
struct Span {
  Moment first{};
  Moment last{};
  std::uint64_t frames = 0;
};

/// Reads the frames of a file before they are needed, in a thread of its own.
class ReadAhead {
 public:
  struct Frame {
    RecordedFrame frame;
    std::vector<std::byte> pixels;
    Moment moment{};
    std::uint64_t round = 0;  ///< how often the file had been read whole before
  };

  ReadAhead(std::unique_ptr<Playable> file, WantedFrames wanted);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead(ReadAhead&&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ReadAhead& operator=(ReadAhead&&) = delete;
  ~ReadAhead();

  /// Blocks until as much has been read as there is room for, or all of it. Throws Interrupted.
  void fill();
  /// The next frame, or null at the end; valid until pop(). `waited` tells whether it had to be
  /// waited for. Throws Interrupted, and what reading the file threw.
  [[nodiscard]] const Frame* front(bool& waited);
  void pop();
  /// nullopt until the file has been read whole once.
  [[nodiscard]] std::optional<Span> span() const;

 private:
  void run() noexcept;
  void read_all();
  /// Reads one round. Gives what it had.
  [[nodiscard]] Span read_round(std::uint64_t round);
  /// Where a frame is, seen from a place; nowhere in particular from none.
  [[nodiscard]] std::strong_ordering seen_from(const std::optional<Place>& place,
                                               std::string_view option, const RecordedFrame& frame,
                                               Moment moment) const;
  /// Where the next frame goes; null where nobody wants it any more.
  [[nodiscard]] Frame* room();
  void wake();

  std::unique_ptr<Playable> file_;
  WantedFrames wanted_;
  // The thread that plays takes no lock, which that which reads could be stopped with.
  std::vector<Frame> ring_;
  std::size_t first_ = 0;              ///< in the ring; of the thread that plays
  std::size_t next_ = 0;               ///< that is read to; of the thread that reads
  std::atomic<std::size_t> count_{0};  ///< of frames that have been read
  std::atomic<std::uint32_t> wakes_{0};
  std::atomic<bool> is_given_up_{false};
  std::atomic<bool> has_span_{false};   ///< span_ is there, and stays
  std::atomic<bool> is_at_end_{false};  ///< error_ stays
  std::optional<Span> span_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace shmim::tools
