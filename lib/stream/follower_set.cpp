#include "shmim/follower_set.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace shmim {

/// What the threads have in common.
struct FollowerSet::Shared {
  std::mutex mutex;
  std::condition_variable happened;  ///< for next()
  std::condition_variable changed;   ///< for the threads
  std::deque<std::size_t> news;      ///< streams that there is news of
  bool is_begun = false;             ///< next() was called
  std::atomic<bool> is_over = false;
};

struct FollowerSet::Member {
  Member(std::size_t index, const Stream& stream, FollowOptions options)
      : follower(stream.duplicate(), std::move(options)),
        event{index, Arrival::arrived, {}},
        semaphores(stream.semaphores()) {}

  void run(Shared& shared);
  void wait();
  void wake() const noexcept;

  Follower follower;
  Event event;
  std::exception_ptr error;
  bool is_told_of = false;  ///< or will be, before it is waited for again
  // What the thread waits on.
  Semaphores semaphores;
  std::optional<unsigned> semaphore;
  std::thread thread;
};

void FollowerSet::Member::wait() {
  // Where there is no semaphore nothing ends the wait when we stop, but time.
  constexpr std::chrono::milliseconds longest{10};
  do {
    event.arrival =
        follower.wait(follower.semaphore() ? std::nullopt : deadline_after(longest), event.frame);
  } while (event.arrival == Arrival::timed_out);
}

void FollowerSet::Member::run(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    shared.changed.wait(lock, [&] { return shared.is_over || (shared.is_begun && !is_told_of); });
    if (shared.is_over) {
      return;
    }
    semaphores = follower.stream().semaphores();
    semaphore = follower.semaphore();
    lock.unlock();
    try {
      wait();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    is_told_of = true;
    semaphore.reset();
    shared.news.push_back(event.index);
    shared.happened.notify_one();
  }
}

void FollowerSet::Member::wake() const noexcept {
  if (semaphore) {
    semaphores.wake_own(*semaphore);
  }
}

FollowerSet::FollowerSet(const std::vector<Stream>& streams, FollowOptions options)
    : shared_(std::make_unique<Shared>()) {
  options.semaphore.reset();
  options.spin = {};
  options.cancelled = [&over = shared_->is_over, asked = std::move(options.cancelled)] {
    return over || (asked && asked());
  };
  for (const Stream& stream : streams) {
    members_.push_back(std::make_unique<Member>(members_.size(), stream, options));
  }
  try {
    for (const auto& member : members_) {
      member->thread = std::thread([&shared = *shared_, &member = *member] { member.run(shared); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

FollowerSet::~FollowerSet() { stop(); }

void FollowerSet::stop() noexcept {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->is_over = true;
    for (const auto& member : members_) {
      member->wake();
    }
  }
  shared_->changed.notify_all();
  for (const auto& member : members_) {
    if (member->thread.joinable()) {
      member->thread.join();
    }
  }
}

std::optional<FollowerSet::Event> FollowerSet::next(Deadline deadline) {
  std::unique_lock lock(shared_->mutex);
  if (!std::exchange(shared_->is_begun, true)) {
    shared_->changed.notify_all();
  }
  const auto has_news = [this] { return !shared_->news.empty(); };
  if (deadline) {
    shared_->happened.wait_until(lock, *deadline, has_news);
  } else {
    shared_->happened.wait(lock, has_news);
  }
  if (!has_news()) {
    return std::nullopt;
  }
  Member& member = *members_[shared_->news.front()];
  shared_->news.pop_front();
  if (member.error) {
    std::rethrow_exception(member.error);
  }
  return member.event;
}

void FollowerSet::resume(std::size_t index) {
  {
    const std::lock_guard lock(shared_->mutex);
    members_[index]->is_told_of = false;
  }
  shared_->changed.notify_all();
}

const Follower& FollowerSet::follower(std::size_t index) const noexcept {
  return members_[index]->follower;
}

}  // namespace shmim
