#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/follow.hpp"
#include "shmim/keywords.hpp"
#include "shmim/recording.hpp"

// What stands between a stream and a disk, so that neither waits for the other: a thread has a
// Follower take frames into a FrameQueue, and another hands them to a RecordingWriter.

namespace shmim {

/// A frame between the stream and the disk.
struct SHMIM_EXPORT QueuedFrame {
  TakenFrame taken;
  /// As they were with it; one list for all frames with which they were the same.
  std::shared_ptr<const std::vector<Keyword>> keywords;
  std::span<std::byte> pixels;

  // Set by push().

  std::chrono::steady_clock::time_point pushed;
  /// Of one that was held: what it was released for.
  std::shared_ptr<const RecordedTrigger> trigger;
};

struct FrameQueueOptions {
  /// Bytes for frames, and for what is known of each besides its pixels, but for keywords and
  /// traces.
  std::size_t memory = std::size_t{256} << 20;
  /// Frames are held until release(), and the oldest let go: what a flight recorder does. An eighth
  /// of the memory is left for those that come while they are written.
  bool holds = false;
  /// How much older than the newest frame that is held the oldest may be; nullopt: as there is
  /// room.
  std::optional<std::chrono::nanoseconds> longest;
};

/// Frames from the thread that takes them to the thread that writes them, in memory that a thread
/// gets before it is needed. Where the writer falls back by more than there is room for, the oldest
/// frames that it has not begun give way: taking never waits. Thread-safe for one thread that
/// takes, one that writes and any others, as said below.
class SHMIM_EXPORT FrameQueue {
 public:
  /// Frames of so many bytes. Locks the memory where the system lets it. Throws Error (failed).
  explicit FrameQueue(std::size_t frame_bytes, const FrameQueueOptions& options = {});
  ~FrameQueue();
  FrameQueue(const FrameQueue&) = delete;
  FrameQueue(FrameQueue&&) = delete;
  FrameQueue& operator=(const FrameQueue&) = delete;
  FrameQueue& operator=(FrameQueue&&) = delete;

  // For the thread that takes. None of it blocks for longer than the others look.

  /// Room for a frame, until push() or the next begin().
  [[nodiscard]] QueuedFrame& begin();
  void push();
  /// No more come. What is held stays unwritten.
  void end();
  /// Of one that holds: from oldest to newest, when frames younger than `longest` were let go first
  /// for want of memory.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> shortfall() const noexcept {
    return shortfall_;
  }

  // For the thread that writes.

  enum class State {
    frame,        ///< there is one: front()
    none_yet,     ///< none came for a while
    all_written,  ///< of what was released: no frame is due before the next release()
    ended,        ///< none will come
  };
  /// Blocks for 0.1 s at most for a frame, which is front() then, until pop().
  [[nodiscard]] State wait();
  [[nodiscard]] QueuedFrame& front() noexcept { return *writing_; }
  void pop();

  // For any.

  /// Of one that holds: what is held, and what comes until then, is to be written for that reason.
  /// Again with the same trigger: it goes on until then.
  void release(std::shared_ptr<const RecordedTrigger> trigger,
               std::chrono::steady_clock::time_point until);

  /// Those that gave way unwritten since the last call: first and last cnt0.
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };
  [[nodiscard]] std::vector<Range> take_overrun();
  /// Frames that are held.
  [[nodiscard]] std::size_t held() const noexcept {
    return held_count_.load(std::memory_order_relaxed);
  }
  /// Of its memory, 0 to 1.
  [[nodiscard]] double fill() const noexcept {
    return static_cast<double>(held() + due_count_.load(std::memory_order_relaxed)) /
           static_cast<double>(most_frames_);
  }
  /// False where the system did not let us lock the memory.
  [[nodiscard]] bool is_locked() const noexcept { return is_locked_; }

 private:
  void count() noexcept;
  void make_room();
  void let_go(std::chrono::steady_clock::time_point newest);
  void let_go_of_old(std::chrono::steady_clock::time_point newest);
  void populate(const std::stop_token& stopped) noexcept;
  [[nodiscard]] QueuedFrame* free_frame();

  FrameQueueOptions options_;
  std::size_t frame_bytes_;
  std::size_t stride_ = 0;  ///< from one frame in the memory to the next
  std::size_t memory_bytes_ = 0;
  std::byte* memory_ = nullptr;
  bool is_locked_ = false;
  std::size_t most_frames_ = 0;
  std::size_t most_held_ = 0;
  std::jthread populating_;
  std::optional<std::chrono::nanoseconds> shortfall_;
  std::atomic<std::size_t> held_count_ = 0;
  std::atomic<std::size_t> due_count_ = 0;

  std::mutex mutex_;  ///< of what follows
  std::condition_variable news_;
  std::deque<QueuedFrame> frames_;  ///< those that were ever needed
  std::vector<QueuedFrame*> free_;
  std::deque<QueuedFrame*> held_;  ///< oldest first; newer than all that are due
  std::deque<QueuedFrame*> due_;   ///< to be written, oldest first
  QueuedFrame* taking_ = nullptr;
  QueuedFrame* writing_ = nullptr;
  std::shared_ptr<const RecordedTrigger> trigger_;
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::time_point::min();
  std::uint64_t carried_ = 0;  ///< frames that are lacking before the one that is being taken
  std::vector<Range> overrun_;
  bool has_ended_ = false;
};

}  // namespace shmim
