#include "shmim/follow.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "stream/backoff.hpp"
#include "stream/successor.hpp"

namespace shmim {
namespace {

using std::chrono::steady_clock;

/// How long to go without a look at the name and at the caller's wish to stop: programs of the C
/// library replace a stream and tell nobody.
constexpr std::chrono::milliseconds look_interval{250};

/// A program that is none of ours may post first and count after. So whoever is woken for no new
/// frame watches for as long as it takes to post the other semaphores,
constexpr std::chrono::microseconds posts_take{10};
/// looks again after this long, during which its writer has the processor if there is but one, and
/// then after twice as long each time.
constexpr std::chrono::microseconds count_delay{50};

/// Between looks at cnt0 where no semaphore wakes us.
constexpr std::chrono::microseconds watch_interval{100};

bool has_passed(Deadline deadline) noexcept { return deadline && steady_clock::now() >= *deadline; }

Deadline sooner(Deadline deadline, steady_clock::duration from_now) noexcept {
  const auto soon = steady_clock::now() + from_now;
  return deadline ? std::min(*deadline, soon) : soon;
}

}  // namespace

Follower::Follower(Stream stream, FollowOptions options)
    : stream_(std::move(stream)), options_(std::move(options)) {
  // Before the claim, by which others see that we follow.
  before_ = stream_.newest();
  set_seen(stream_.cnt0());
  claim();
  last_look_ = steady_clock::now();
}

void Follower::claim() {
  claim_.reset();
  if (options_.semaphore) {
    claim_.emplace(stream_.semaphores().claim(options_.semaphore));
  } else if (!options_.passive && stream_.writable()) {
    if (auto claim = stream_.semaphores().try_claim()) {
      claim_.emplace(*std::move(claim));
      flush();  // what was posted while nobody was there to take it is no news
    }
  }
}

std::string Follower::describe_waiting() const {
  if (claim_) {
    return fmt::format("waits on semaphore {}", claim_->index());
  }
  const unsigned count = stream_.semaphores().count();
  if (options_.passive) {
    return "watches cnt0, as asked";
  }
  return !stream_.writable() ? std::string("watches cnt0: the stream is read-only for us")
         : count == 0        ? std::string("watches cnt0: the stream has no semaphores")
         : count == 1        ? std::string("watches cnt0: its one semaphore is claimed")
                             : fmt::format("watches cnt0: all {} semaphores are claimed", count);
}

std::optional<unsigned> Follower::semaphore() const noexcept {
  return claim_ ? std::optional(claim_->index()) : std::nullopt;
}

void Follower::flush() {
  if (claim_) {
    expects_count_ = claim_->drain() > 0;
  }
}

std::optional<Arrival> Follower::look_around() {
  if (options_.cancelled && options_.cancelled()) {
    return Arrival::interrupted;
  }
  if (!stream_.is_current()) {
    return look_for_successor();
  }
  stream_.require_intact();
  if (claim_ && !claim_->still_ours()) {
    claim();  // a program of the C library has taken it from us
  }
  return std::nullopt;
}

std::optional<Arrival> Follower::look_for_successor() {
  Successor successor = find_successor(stream_);
  switch (successor.kind) {
    case Successor::Kind::none:
      return Arrival::removed;
    case Successor::Kind::half_made:
      return std::nullopt;  // look again
    case Successor::Kind::differs:
      difference_ = std::move(successor.difference);
      return Arrival::recreated;
    case Successor::Kind::same:
      break;
  }
  claim_.reset();  // before the stream whose semaphore it is goes
  stream_ = *std::move(successor.stream);
  claim();
  seen_ = 0;
  before_ = stream_.as_made();
  is_first_of_stream_ = true;
  ++recreations_;
  return std::nullopt;
}

bool Follower::has_seen_all() const noexcept { return stream_.cnt0() == seen_; }

Arrival Follower::wait_for_change(Deadline deadline) {
  if (options_.cancelled && options_.cancelled()) {
    return Arrival::interrupted;  // however many frames there are to come
  }
  const std::uint64_t count = stream_.cnt0();
  const auto begin = steady_clock::now();
  const auto spin_until = begin + options_.spin;
  auto count_until = begin;
  auto next_look = last_look_ + look_interval;
  steady_clock::duration patience = look_interval;
  if (std::exchange(expects_count_, false)) {
    patience = count_delay;
  }
  std::uint64_t posts = 0;
  while (has_seen_all()) {
    const auto moment = steady_clock::now();
    if (moment >= next_look) {
      if (const auto change = look_around()) {
        return *change;
      }
      last_look_ = moment;
      next_look = moment + look_interval;
    } else if (has_passed(deadline)) {
      return Arrival::timed_out;
    } else if (moment < spin_until) {
      // The counter moves between two looks at it, not between two at the clock, which takes
      // longer.
      for (int look = 0; look < 64 && has_seen_all(); ++look) {
      }
    } else if (moment < count_until) {
      // Its writer may be waiting for the very processor that we were woken on.
      std::this_thread::yield();
    } else if (!claim_) {
      std::this_thread::sleep_for(watch_interval);
    } else if (claim_->wait(sooner(deadline, patience)) == WaitResult::timed_out) {
      patience = std::min<steady_clock::duration>(patience * 2, look_interval);
    } else {
      // Woken: by a frame, which the loop sees now or soon; or because the stream was removed, or a
      // signal came. All posts are taken at once: there may be millions.
      posts += 1 + claim_->drain();
      patience = count_delay;
      count_until = steady_clock::now() + posts_take;
      next_look = count_until;
    }
  }
  stream_.require_not_lost();  // or it is the counter of no stream
  expects_count_ = posts > stream_.cnt0() - count;
  return Arrival::arrived;
}

Arrival Follower::wait(Deadline deadline) {
  const Arrival arrival = wait_for_change(deadline);
  if (arrival == Arrival::arrived) {
    seen_ = stream_.cnt0();
  }
  return arrival;
}

Arrival Follower::wait(Deadline deadline, TakenFrame& frame) {
  frame = {};
  const Arrival arrival = wait_for_change(deadline);
  if (arrival == Arrival::arrived) {
    begin_frame(frame);
    constexpr std::chrono::milliseconds patience{10};
    const Snapshot snapshot = stream_.snapshot_trace(frame.trace, deadline_after(patience));
    frame.info = snapshot.info;
    if (snapshot.state != FrameState::whole) {
      frame.info = stream_.newest();  // of the frame before the one that is being written
      frame.trace.clear();
    }
    see(frame);
    end_frame(frame);
  }
  return arrival;
}

Arrival Follower::wait_post(Deadline deadline) {
  if (!claim_) {
    throw Error(stream_.writable() ? Problem::claimed : Problem::not_ours_to_write, stream_.name(),
                "there is no semaphore to wait on: this follower " + describe_waiting());
  }
  while (true) {
    const WaitResult wake = claim_->wait(sooner(deadline, look_interval));
    if (wake == WaitResult::posted && stream_.is_current()) {
      return Arrival::arrived;
    }
    if (const auto change = look_around()) {
      return *change;
    }
    if (has_passed(deadline)) {
      return Arrival::timed_out;
    }
  }
}

Trigger TakenFrame::trigger() const {
  Trigger trigger;
  trigger.entry.trigger_inode = inode;
  trigger.entry.mode = semaphore ? TriggerMode::semaphore : TriggerMode::cnt0;
  trigger.entry.status = TriggerStatus::received;
  trigger.entry.semaphore = semaphore ? static_cast<std::int32_t>(*semaphore) : -1;
  trigger.entry.cnt0 = info.cnt0;
  trigger.entry.triggered = taken;
  trigger.ancestors = trace;
  return trigger;
}

std::vector<TraceEntry> Follower::trace_of(std::uint64_t cnt0) const {
  // One look: between two frames the trace is that of the one which the counter names.
  std::vector<TraceEntry> entries;
  const Snapshot snapshot = stream_.snapshot_trace(entries, steady_clock::now());
  return snapshot.state == FrameState::whole && snapshot.info.cnt0 == cnt0
             ? std::move(entries)
             : std::vector<TraceEntry>();
}

/// A counter that went back tells of no missed frames.
void Follower::see(TakenFrame& frame) noexcept {
  if (const auto ahead = static_cast<std::int64_t>(frame.info.cnt0 - seen_); ahead > 0) {
    frame.missed += static_cast<std::uint64_t>(ahead - 1);
  }
  seen_ = frame.info.cnt0;
}

bool Follower::take_from_buffer(CircularBuffer::Position found, const CopyFrame& copy,
                                TakenFrame& frame) {
  if (!stream_.circular_buffer().read(found, found.cnt0, copy, frame.info)) {
    return false;
  }
  frame.missed += found.cnt0 - seen_ - 1;
  seen_ = found.cnt0;
  frame.trace = trace_of(seen_);
  return true;
}

bool Follower::take_plane(FrameOrder order, const CopyFrame& copy, TakenFrame& frame) {
  const PlaneRing planes = stream_.plane_ring();
  auto found = order == FrameOrder::every ? planes.first_after(seen_) : planes.newest();
  const auto moved = [&] {
    return (found->plane + planes.size() - before_.cnt1 % planes.size()) % planes.size();
  };
  if (found && !found->is_counted && found->cnt0 > before_.cnt0 &&
      moved() != (found->cnt0 - before_.cnt0) % planes.size()) {
    found = planes.newest();  // the planes are not written in turn: cnt1 tells of the newest alone
  }
  if (!found) {
    return false;
  }
  copy(found->frame);
  if (!planes.end_read(*found, frame.info)) {
    return false;
  }
  see(frame);
  frame.trace = trace_of(seen_);
  return true;
}

bool Follower::take_newest(Deadline deadline, const CopyFrame& copy, TakenFrame& frame) {
  // Together with the pixels, if they are those of the array, the trace is of the same frame.
  const std::byte* array = stream_.unguarded_pixels().data();
  bool is_of_array = false;
  const auto copy_all = [&](std::span<const std::byte> pixels) {
    copy(pixels);
    is_of_array = pixels.data() == array;
    if (is_of_array) {
      frame.trace = stream_.trace().entries();
    }
  };
  const Snapshot snapshot = stream_.snapshot(copy_all, deadline);
  if (snapshot.state == FrameState::unfinished) {
    // Its writer is dead and the frame we were told of half overwritten: the next writer mends
    // that.
    frame.missed += stream_.cnt0() - seen_;
    frame.trace.clear();
    seen_ = stream_.cnt0();
    return false;
  }
  stream_.require_whole(snapshot);
  frame.info = snapshot.info;
  see(frame);
  if (!is_of_array) {
    frame.trace = trace_of(seen_);
  }
  return true;
}

bool Follower::take(FrameOrder order, Backoff& backoff, const CopyFrame& copy, TakenFrame& frame) {
  if (stream_.format().is_circular() && !options_.whole_array) {
    if (take_plane(order, copy, frame)) {
      return true;
    }
    if (!backoff.pause()) {
      throw Error(Problem::busy, stream_.name(),
                  "no whole plane in a second: its planes are always being written");
    }
    return false;
  }
  if (order == FrameOrder::every) {
    if (const auto first = stream_.circular_buffer().first_after(seen_)) {
      // Where a writer fills the buffer faster than it is read there is no order to be had, and any
      // whole frame is better than none.
      if (take_from_buffer(*first, copy, frame)) {
        return true;
      }
      if (backoff.pause()) {
        return false;
      }
    }
  }
  return take_newest(deadline_after(std::chrono::seconds{1}), copy, frame);
}

void Follower::begin_frame(TakenFrame& frame) const {
  frame.taken = TaiClock::now();
  frame.inode = stream_.identity().inode;
  frame.semaphore = semaphore();
}

/// Keeps what is the frame's own.
void Follower::end_frame(TakenFrame& frame) {
  if (std::exchange(is_first_of_stream_, false)) {
    frame.missed = 0;
  }
  const FrameInfo read = frame.info;
  const bool is_after = read.cnt0 > before_.cnt0;
  const FrameInfo before = is_after ? before_ : stream_.as_made();
  frame.info.writetime = written_after(before, read);
  const bool is_stamped = read.writetime != before.writetime;
  frame.info.atime = is_stamped ? read.atime : never;
  if (is_after) {
    before_ = read;
    before_.accesstime = std::max(before.accesstime, read.accesstime);  // a buffer has none
  }
  // A trace that is older is of a frame before, whose writer records one.
  constexpr std::chrono::seconds stale{1};
  frame.trace.resize(chain_of(frame.trace).size());
  const bool is_older = !frame.trace.empty() && frame.trace.front().written &&
                        elapsed(*frame.trace.front().written, frame.info.writetime) > stale;
  if (is_older || !is_stamped) {
    frame.trace.clear();
  }
}

Arrival Follower::next(FrameOrder order, Deadline deadline, const CopyFrame& copy,
                       TakenFrame& frame) {
  frame = {};
  std::optional<Backoff> backoff;
  while (true) {
    if (const Arrival arrival = wait_for_change(deadline); arrival != Arrival::arrived) {
      return arrival;
    }
    begin_frame(frame);
    if (!backoff) {
      backoff.emplace(deadline_after(std::chrono::seconds{1}));
    }
    if (take(order, *backoff, copy, frame)) {
      end_frame(frame);
      return Arrival::arrived;
    }
  }
}

}  // namespace shmim
