#include "shmim/semaphores.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <utility>

#include <fmt/format.h>

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

unsigned take_posts(sem_t& semaphore) noexcept {
  unsigned taken = 0;
  while (sem_trywait(&semaphore) == 0) {
    ++taken;
  }
  return taken;
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
  if (!writable_) {
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
    if ((all || posts.includes(index)) &&
        value_of(regions.semaphores[index]) < layout::semaphore_max) {
      sem_post(&regions.semaphores[index]);
      layout::store(regions.write_pid[index], this_process());
    }
  }
  if (posts.by_default() && value_of(*regions.log) < layout::semaphore_max) {
    sem_post(regions.log);
  }
}

bool Semaphores::try_claim(unsigned index) const noexcept {
  pid_t& word = regions_.read_pid[index];
  const pid_t holder = layout::load(word);
  return !is_alive(holder) && layout::exchange_if(word, holder, this_process());
}

SemaphoreClaim Semaphores::claim(std::optional<unsigned> index) const {
  require_writable();
  if (index) {
    require_index(*index);
    if (!try_claim(*index)) {
      throw Error(Problem::claimed, subject(),
                  fmt::format("semaphore {} is claimed by process {}", *index,
                              describe_process(reader(*index))));
    }
  }
  for (unsigned candidate = 0; !index && candidate < count(); ++candidate) {
    if (try_claim(candidate)) {
      index = candidate;
    }
  }
  if (!index) {
    std::string holders;
    for (unsigned taken = 0; taken < count(); ++taken) {
      holders += fmt::format("{}{}", taken == 0 ? "" : ", ", describe_process(reader(taken)));
    }
    throw Error(Problem::claimed, subject(),
                count() == 0 ? std::string("the stream has no semaphores")
                             : fmt::format("all {} semaphores are claimed, by processes {}",
                                           count(), holders));
  }
  layout::store(regions_.status[*index], layout::status_connected);
  return {*this, *index};
}

WaitResult Semaphores::wait(unsigned index, Deadline deadline) const {
  require_writable();
  require_index(index);
  return wait_for_post(regions_.semaphores[index], deadline);
}

unsigned Semaphores::drain(unsigned index) const {
  require_writable();
  require_index(index);
  return take_posts(regions_.semaphores[index]);
}

SemaphoreClaim::SemaphoreClaim(SemaphoreClaim&& other) noexcept
    : semaphores_(std::move(other.semaphores_)),
      index_(other.index_),
      held_(std::exchange(other.held_, false)) {}

SemaphoreClaim::~SemaphoreClaim() {
  if (!held_) {
    return;
  }
  pid_t& reader = semaphores_.regions_.read_pid[index_];
  if (layout::load(reader) == this_process()) {
    layout::store(semaphores_.regions_.status[index_], std::uint32_t{0});
    static_cast<void>(layout::exchange_if(reader, this_process(), pid_t{0}));
  }
}

bool SemaphoreClaim::still_ours() const noexcept {
  return layout::load(semaphores_.regions_.read_pid[index_]) == this_process();
}

unsigned SemaphoreClaim::drain() const noexcept {
  return take_posts(semaphores_.regions_.semaphores[index_]);
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
