#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// A frame between the stream and the disk.
struct QueuedFrame {
  TakenFrame taken;
  std::vector<Keyword> keywords;
  std::span<std::byte> pixels;
};

/// Frames from the thread that takes them to the thread that writes them, in memory that is there
/// from the beginning. Where the writer falls back by more than there is room for, the oldest
/// frames that it has not begun give way: taking never waits.
class FrameQueue {
 public:
  /// Frames of so many bytes, in about `memory` bytes of them.
  FrameQueue(std::size_t frame_bytes, std::size_t memory);
  ~FrameQueue();
  FrameQueue(const FrameQueue&) = delete;
  FrameQueue(FrameQueue&&) = delete;
  FrameQueue& operator=(const FrameQueue&) = delete;
  FrameQueue& operator=(FrameQueue&&) = delete;

  // For the one thread.

  /// Room for a frame, until push() or the next begin().
  [[nodiscard]] QueuedFrame& begin();
  void push();
  /// No more come.
  void end();

  // For the other.

  enum class State { frame, none_yet, ended };
  /// Waits a while for a frame, which is front() then, until pop().
  [[nodiscard]] State wait();
  [[nodiscard]] QueuedFrame& front() noexcept { return frames_[*writing_]; }
  void pop();

  // For all.

  /// Those that gave way, since the last call: first and last cnt0.
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };
  [[nodiscard]] std::vector<Range> take_overrun();
  /// 0 to 1.
  [[nodiscard]] double fill() const;
  /// False where the system did not let us lock the memory.
  [[nodiscard]] bool is_locked() const noexcept { return is_locked_; }

 private:
  std::size_t memory_bytes_;
  std::byte* memory_;
  bool is_locked_ = false;
  std::vector<QueuedFrame> frames_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::size_t> free_;
  std::deque<std::size_t> waiting_;  ///< oldest first
  std::optional<std::size_t> taking_;
  std::optional<std::size_t> writing_;
  std::uint64_t carried_ = 0;  ///< frames that are lacking before the one that is being taken
  std::vector<Range> overrun_;
  bool has_ended_ = false;
};

}  // namespace shmim::tools
