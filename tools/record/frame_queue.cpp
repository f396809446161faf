#include "record/frame_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/mman.h>

namespace shmim::tools {

FrameQueue::FrameQueue(std::size_t frame_bytes, std::size_t memory) {
  // One is taken, one is written, and one at least waits.
  constexpr std::size_t fewest = 3;
  constexpr std::size_t most = 1 << 20;  // of very small ones
  constexpr std::size_t alignment = 64;
  const std::size_t stride = (frame_bytes + alignment - 1) / alignment * alignment;
  const std::size_t count = std::clamp(memory / stride, fewest, most);
  memory_bytes_ = count * stride;
  void* mapped = ::mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    throw Error::system("--buffer", "there is no memory for it", errno);
  }
  memory_ = static_cast<std::byte*>(mapped);
  ::madvise(mapped, memory_bytes_, MADV_HUGEPAGE);  // where there are any
  is_locked_ = ::mlock(mapped, memory_bytes_) == 0;
  frames_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    frames_[i].pixels = {memory_ + i * stride, frame_bytes};
    free_.push_back(i);
  }
}

FrameQueue::~FrameQueue() { ::munmap(memory_, memory_bytes_); }

QueuedFrame& FrameQueue::begin() {
  const std::lock_guard lock(mutex_);
  if (!taking_ && free_.empty()) {
    const std::size_t oldest = waiting_.front();
    waiting_.pop_front();
    const TakenFrame& lost = frames_[oldest].taken;
    overrun_.push_back({lost.info.cnt0, lost.info.cnt0});
    (waiting_.empty() ? carried_ : frames_[waiting_.front()].taken.missed) += lost.missed + 1;
    taking_ = oldest;
  } else if (!taking_) {
    taking_ = free_.front();
    free_.pop_front();
  }
  return frames_[*taking_];
}

void FrameQueue::push() {
  {
    const std::lock_guard lock(mutex_);
    frames_[*taking_].taken.missed += std::exchange(carried_, 0);
    waiting_.push_back(*std::exchange(taking_, std::nullopt));
  }
  news_.notify_one();
}

void FrameQueue::end() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  news_.notify_one();
}

FrameQueue::State FrameQueue::wait() {
  constexpr std::chrono::milliseconds a_while{100};
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, a_while, [this] { return !waiting_.empty() || has_ended_; });
  if (!waiting_.empty()) {
    writing_ = waiting_.front();
    waiting_.pop_front();
    return State::frame;
  }
  return has_ended_ ? State::ended : State::none_yet;
}

void FrameQueue::pop() {
  const std::lock_guard lock(mutex_);
  free_.push_back(*std::exchange(writing_, std::nullopt));
}

std::vector<FrameQueue::Range> FrameQueue::take_overrun() {
  std::vector<Range> ranges;
  {
    const std::lock_guard lock(mutex_);
    ranges.swap(overrun_);
  }
  return ranges;
}

double FrameQueue::fill() const {
  const std::lock_guard lock(mutex_);
  return static_cast<double>(waiting_.size()) / static_cast<double>(frames_.size());
}

}  // namespace shmim::tools
