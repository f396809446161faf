#include "shmim/semaphores.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parts/semaphores_post.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"

namespace shmim {
namespace {

int value_of(const sem_t& semaphore) noexcept {
  int value = 0;
  // sem_getvalue only reads; its prototype is older than const.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  sem_getvalue(const_cast<sem_t*>(&semaphore), &value);
  return value;
}

timespec to_timespec(std::chrono::steady_clock::time_point time) noexcept {
  const auto since = std::max(time.time_since_epoch(), std::chrono::steady_clock::duration{0});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since - seconds).count())};
}

WaitResult wait_for_post(sem_t& semaphore, Deadline deadline) noexcept {
  if (!layout::is_usable(semaphore)) {  // it was when we claimed it
    constexpr std::chrono::milliseconds pause{1};
    const auto until = std::chrono::steady_clock::now() + pause;
    std::this_thread::sleep_until(deadline ? std::min(*deadline, until) : until);
    return WaitResult::timed_out;
  }
  int result = 0;
  if (deadline) {
    const timespec until = to_timespec(*deadline);
    result = sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until);
  } else {
    result = sem_wait(&semaphore);
  }
  if (result == 0) {
    return WaitResult::posted;
  }
  return errno == EINTR ? WaitResult::interrupted : WaitResult::timed_out;
}

bool post_unless_full(sem_t& semaphore) noexcept {
  if (!layout::is_usable(semaphore) || value_of(semaphore) >= layout::semaphore_max) {
    return false;
  }
  sem_post(&semaphore);
  return true;
}

/// True where a process is asleep on the semaphore, whether it has claimed it or not. The kernel is
/// asked to move its waiters to where they are, and says how many that were: the number in the
/// semaphore counts those too that were killed.
bool is_waited_on(sem_t& semaphore) noexcept {
  constexpr long none_to_wake = 0;
  constexpr long all_to_move = INT_MAX;
  return ::syscall(SYS_futex, &semaphore, FUTEX_REQUEUE, none_to_wake, all_to_move, &semaphore) > 0;
}

}  // namespace

bool SemaphoreSet::includes(unsigned index) const noexcept {
  const bool is_listed = std::find(listed_.begin(), listed_.end(), index) != listed_.end();
  return is_listed != others_;
}

int Semaphores::value(unsigned index) const {
  require_index(index);
  return value_of(regions_.semaphores[index]);
}

int Semaphores::log_value() const noexcept { return value_of(*regions_.log); }

pid_t Semaphores::reader(unsigned index) const {
  require_index(index);
  return layout::load(regions_.read_pid[index]);
}

pid_t Semaphores::poster(unsigned index) const {
  require_index(index);
  return layout::load(regions_.write_pid[index]);
}

std::uint32_t Semaphores::control(unsigned index) const {
  require_index(index);
  return layout::load(regions_.control[index]);
}

std::uint32_t Semaphores::status(unsigned index) const {
  require_index(index);
  return layout::load(regions_.status[index]);
}

void Semaphores::require_writable() const {
  if (!segment_->writable()) {
    throw Error(Problem::not_ours_to_write, subject(),
                "semaphores cannot be used: the stream is read-only for us");
  }
}

void Semaphores::require_index(unsigned index) const {
  if (index >= count()) {
    throw Error(Problem::usage, subject(),
                count() == 0 ? fmt::format("there is no semaphore {}: the stream has none", index)
                             : fmt::format("there is no semaphore {}: the stream has 0 to {}",
                                           index, count() - 1));
  }
}

void Semaphores::require(const SemaphoreSet& set) const {
  for (const unsigned index : set.listed()) {
    require_index(index);
  }
}

void Semaphores::post(const SemaphoreSet& posts) const {
  require_writable();
  require(posts);
  post_known(regions_, posts);
}

void post_known(const Semaphores::Regions& regions, const SemaphoreSet& posts) noexcept {
  const bool all = posts.by_default() && posts.listed().empty();
  for (unsigned index = 0; index < regions.semaphores.size(); ++index) {
    if (all || posts.includes(index)) {
      post_one(regions, index);
    }
  }
  if (posts.by_default()) {
    post_log(regions);
  }
}

void post_one(const Semaphores::Regions& regions, unsigned index) noexcept {
  if (post_unless_full(regions.semaphores[index])) {
    layout::store(regions.write_pid[index], this_process());
  }
}

void post_log(const Semaphores::Regions& regions) noexcept {
  static_cast<void>(post_unless_full(*regions.log));
}

void Semaphores::wake_readers() const noexcept {
  for (unsigned index = 0; segment_->writable() && index < count(); ++index) {
    sem_t& semaphore = regions_.semaphores[index];
    if (segment_->place_claimed_by(index) != 0 && layout::is_usable(semaphore)) {
      sem_post(&semaphore);
    }
  }
}

void Semaphores::wake_own(unsigned index) const noexcept {
  if (index < count() && layout::load(regions_.read_pid[index]) == this_process()) {
    static_cast<void>(post_unless_full(regions_.semaphores[index]));
  }
}

/// True for a living one of ours, which has a lock; and where a program without one may be alive.
bool Semaphores::has_reader(unsigned index) const noexcept {
  if (segment_->place_claimed_by(index) != 0) {
    return true;
  }
  const pid_t reader = layout::load(regions_.read_pid[index]);
  switch (segment_->liveness_of(reader)) {
    case Liveness::alive:
      return true;
    case Liveness::dead:
      return false;
    case Liveness::unknown:
      break;
  }
  // Of those that we cannot judge, ours alone say that they are connected, and have died.
  return !layout::is_connected_as(layout::load(regions_.status[index]), reader);
}

std::optional<SemaphoreClaim> Semaphores::try_claim(unsigned index) const {
  pid_t& word = regions_.read_pid[index];
  const pid_t holder = layout::load(word);
  if (!layout::is_usable(regions_.semaphores[index]) || has_reader(index)) {
    return std::nullopt;
  }
  // The lock parts us from those of this library, the exchange from those of the C library. The
  // status comes before the PID that it is about: at no moment can we die and leave a PID that is
  // taken for one of theirs.
  std::optional<Claim> place = segment_->claim_place(index);
  if (!place) {
    return std::nullopt;
  }
  layout::store(regions_.status[index], layout::connected_as(this_process()));
  if (!layout::exchange_if(word, holder, this_process())) {
    layout::store(regions_.status[index], std::uint32_t{0});
    return std::nullopt;
  }
  return SemaphoreClaim(*this, index, *std::move(place));
}

std::optional<SemaphoreClaim> Semaphores::try_claim() const {
  require_writable();
  for (unsigned index = count(); index-- > 0;) {
    if (!is_waited_on(regions_.semaphores[index])) {
      if (auto claim = try_claim(index)) {
        return claim;
      }
    }
  }
  return std::nullopt;
}

std::optional<unsigned> Semaphores::claim_for_process(int wish) const {
  require_writable();
  for (unsigned index = 0; index < count(); ++index) {
    // One with a lock is a SemaphoreClaim of this process, or of one that has our PID elsewhere.
    if (layout::load(regions_.read_pid[index]) == this_process() &&
        segment_->place_claimed_by(index) == 0) {
      return index;
    }
  }
  const auto take = [this](unsigned index) {
    pid_t& word = regions_.read_pid[index];
    const pid_t holder = layout::load(word);
    return layout::is_usable(regions_.semaphores[index]) && !has_reader(index) &&
           layout::exchange_if(word, holder, this_process());
  };
  if (wish >= 0 && static_cast<unsigned>(wish) < count() && take(static_cast<unsigned>(wish))) {
    return static_cast<unsigned>(wish);
  }
  for (unsigned index = 0; index < count(); ++index) {
    if (take(index)) {
      return index;
    }
  }
  return std::nullopt;
}

std::string Semaphores::describe_reader(unsigned index) const {
  // Whoever claims takes the lock first, and then puts its PID into the stream.
  const pid_t holder = segment_->place_claimed_by(index);
  const pid_t pid = holder != 0 ? holder : reader(index);
  return pid > 0 ? "process " + segment_->describe_user(pid, holder != 0)
         : !layout::is_usable(regions_.semaphores[index]) ? "nobody, but damaged"
                                                          : "a process that has not claimed it";
}

SemaphoreClaim Semaphores::claim(std::optional<unsigned> index) const {
  require_writable();
  if (index) {
    require_index(*index);
  }
  if (auto claim = index ? try_claim(*index) : try_claim()) {
    return *std::move(claim);
  }
  if (index) {
    throw Error(Problem::claimed, subject(),
                fmt::format("semaphore {} is claimed by {}", *index, describe_reader(*index)));
  }
  std::string readers;
  for (unsigned taken = 0; taken < count(); ++taken) {
    readers += fmt::format("{}{}", taken == 0 ? "" : ", ", describe_reader(taken));
  }
  throw Error(Problem::claimed, subject(),
              count() == 0 ? std::string("the stream has no semaphores")
                           : fmt::format("all {} semaphores are claimed, by {}", count(), readers));
}

WaitResult Semaphores::wait(unsigned index, Deadline deadline) const {
  require_writable();
  require_index(index);
  if (!layout::is_usable(regions_.semaphores[index])) {
    throw Error(Problem::failed, subject(), fmt::format("semaphore {} is damaged", index));
  }
  return wait_for_post(regions_.semaphores[index], deadline);
}

unsigned Semaphores::drain(unsigned index) const {
  require_writable();
  require_index(index);
  return layout::take_posts(regions_.semaphores[index]);
}

SemaphoreClaim::SemaphoreClaim(SemaphoreClaim&& other) noexcept
    : semaphores_(std::move(other.semaphores_)),
      index_(other.index_),
      place_(std::move(other.place_)),
      held_(std::exchange(other.held_, false)) {}

SemaphoreClaim::~SemaphoreClaim() {
  if (!held_) {
    return;
  }
  // Of the status too none but who has the lock is the writer, whoever has taken our place.
  layout::store(semaphores_.regions_.status[index_], std::uint32_t{0});
  static_cast<void>(
      layout::exchange_if(semaphores_.regions_.read_pid[index_], this_process(), pid_t{0}));
}

bool SemaphoreClaim::still_ours() const noexcept {
  return layout::load(semaphores_.regions_.read_pid[index_]) == this_process();
}

unsigned SemaphoreClaim::drain() const noexcept {
  return layout::take_posts(semaphores_.regions_.semaphores[index_]);
}

WaitResult SemaphoreClaim::wait(Deadline deadline) const noexcept {
  std::uint32_t& status = semaphores_.regions_.status[index_];
  layout::clear_bits(status, layout::status_timed_out);
  layout::set_bits(status, layout::status_waiting);
  const WaitResult wake = wait_for_post(semaphores_.regions_.semaphores[index_], deadline);
  layout::clear_bits(status, layout::status_waiting);
  if (wake == WaitResult::timed_out) {
    layout::set_bits(status, layout::status_timed_out);
  }
  return wake;
}

}  // namespace shmim
