#include "shmim/frame_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>

#include "shmim/error.hpp"

namespace shmim {

using std::chrono::steady_clock;

FrameQueue::FrameQueue(std::size_t frame_bytes, const FrameQueueOptions& options)
    : options_(options), frame_bytes_(frame_bytes) {
  // One is taken, one is written, and one at least waits.
  constexpr std::size_t fewest = 3;
  constexpr std::size_t alignment = 64;
  stride_ = (frame_bytes + alignment - 1) / alignment * alignment;
  most_frames_ = std::max(options.memory / (stride_ + sizeof(QueuedFrame)), fewest);
  most_held_ = most_frames_ - std::max(most_frames_ / 8, fewest - 1);
  memory_bytes_ = most_frames_ * stride_;
  void* mapped = ::mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    throw Error::system("", fmt::format("there are no {} bytes for frames", memory_bytes_), errno);
  }
  memory_ = static_cast<std::byte*>(mapped);
  ::madvise(mapped, memory_bytes_, MADV_HUGEPAGE);  // where there are any
  is_locked_ = ::mlock2(mapped, memory_bytes_, MLOCK_ONFAULT) == 0;
  ::madvise(mapped, fewest * stride_, MADV_POPULATE_WRITE);
  populating_ = std::jthread([this](const std::stop_token& stopped) { populate(stopped); });
}

FrameQueue::~FrameQueue() {
  populating_.request_stop();
  populating_.join();
  ::munmap(memory_, memory_bytes_);
}

/// All of it can take a second, in which frames come already; they are not to wait for it, nor for
/// memory later. A kernel before 5.14 gives it as it is used.
void FrameQueue::populate(const std::stop_token& stopped) noexcept {
  constexpr sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);  // whatever the thread that takes frames has
  constexpr std::size_t step = std::size_t{2} << 20;
  for (std::size_t done = 0; done < memory_bytes_ && !stopped.stop_requested(); done += step) {
    if (::madvise(memory_ + done, std::min(step, memory_bytes_ - done), MADV_POPULATE_WRITE) != 0) {
      return;
    }
  }
}

/// The one that was free last: its memory is still in the processor's cache.
QueuedFrame* FrameQueue::free_frame() {
  if (free_.empty() && frames_.size() < most_frames_) {
    QueuedFrame& added = frames_.emplace_back();
    added.pixels = {memory_ + (frames_.size() - 1) * stride_, frame_bytes_};
    return &added;
  }
  if (free_.empty()) {
    make_room();
  }
  QueuedFrame* found = free_.back();
  free_.pop_back();
  return found;
}

QueuedFrame& FrameQueue::begin() {
  const std::lock_guard lock(mutex_);
  if (taking_ == nullptr) {
    taking_ = free_frame();
  }
  return *taking_;
}

/// For those who look without the lock.
void FrameQueue::count() noexcept {
  held_count_.store(held_.size(), std::memory_order_relaxed);
  due_count_.store(due_.size(), std::memory_order_relaxed);
}

/// What is held gives way to what is due: that has been asked for.
void FrameQueue::make_room() {
  if (!held_.empty()) {
    let_go(steady_clock::now());
    return;
  }
  QueuedFrame* oldest = due_.front();
  due_.pop_front();
  const TakenFrame& lost = oldest->taken;
  overrun_.push_back({lost.info.cnt0, lost.info.cnt0});
  (due_.empty() ? carried_ : due_.front()->taken.missed) += lost.missed + 1;
  free_.push_back(oldest);
}

/// The oldest that is held, for want of memory.
void FrameQueue::let_go(steady_clock::time_point newest) {
  const auto span = newest - held_.front()->pushed;
  if (options_.longest && span < *options_.longest && !shortfall_) {
    shortfall_ = span;
  }
  free_.push_back(held_.front());
  held_.pop_front();
}

void FrameQueue::let_go_of_old(steady_clock::time_point newest) {
  while (options_.longest && newest - held_.front()->pushed > *options_.longest) {
    free_.push_back(held_.front());
    held_.pop_front();
  }
}

void FrameQueue::push() {
  const auto now = steady_clock::now();
  bool is_due = true;
  {
    const std::lock_guard lock(mutex_);
    QueuedFrame& frame = *std::exchange(taking_, nullptr);
    frame.pushed = now;
    is_due = !options_.holds || now < until_;
    frame.trigger = is_due ? trigger_ : nullptr;
    const std::uint64_t lacking = std::exchange(carried_, 0);
    if (is_due) {
      frame.taken.missed += lacking;
      due_.push_back(&frame);
    } else {
      held_.push_back(&frame);
      let_go_of_old(now);
      if (held_.size() > most_held_) {
        let_go(now);
      }
    }
    count();
  }
  if (is_due) {
    news_.notify_one();
  }
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
  news_.wait_for(lock, a_while, [this] { return !due_.empty() || has_ended_; });
  if (!due_.empty()) {
    writing_ = due_.front();
    due_.pop_front();
    count();
    return State::frame;
  }
  if (has_ended_) {
    return State::ended;
  }
  return options_.holds && steady_clock::now() >= until_ ? State::all_written : State::none_yet;
}

void FrameQueue::pop() {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::exchange(writing_, nullptr));
}

void FrameQueue::release(std::shared_ptr<const RecordedTrigger> trigger,
                         steady_clock::time_point until) {
  {
    const std::lock_guard lock(mutex_);
    trigger_ = std::move(trigger);
    until_ = until;
    for (QueuedFrame* frame : held_) {
      frame->trigger = trigger_;
    }
    due_.insert(due_.end(), held_.begin(), held_.end());
    held_.clear();
    count();
  }
  news_.notify_one();
}

std::vector<FrameQueue::Range> FrameQueue::take_overrun() {
  std::vector<Range> ranges;
  {
    const std::lock_guard lock(mutex_);
    ranges.swap(overrun_);
  }
  return ranges;
}

}  // namespace shmim
