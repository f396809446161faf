// Reading one whole frame.

#include <fmt/format.h>

#include "base/copy.hpp"
#include "shmim/error.hpp"
#include "shmim/selection.hpp"
#include "shmim/stream.hpp"
#include "stream/backoff.hpp"
#include "stream/core.hpp"

namespace shmim {

using layout::Metadata;

bool Stream::Reading::begin() {
  if (what_ == What::newest && core_.format.is_circular()) {
    return begin_plane();
  }
  if (what_ != What::trace) {
    frame_ = core_.array();
    if (core_.format.circular_buffer > 0 && begin_in_buffer()) {
      return true;
    }
  }
  const Metadata& shared = core_.header();
  if (layout::is_writing(shared)) {
    return false;
  }
  FrameInfo& info = result_.info;
  info.cnt0 = layout::cnt0(shared);
  info.cnt1 = layout::load(shared.cnt1);
  info.atime = to_tai(layout::load(shared.atime));
  info.writetime = to_tai(layout::load(shared.writetime));
  info.accesstime = to_tai(layout::load(shared.lastaccesstime));
  return true;
}

bool Stream::Reading::begin_plane() {
  plane_ = core_.planes().newest();
  frame_ = plane_ ? plane_->frame : std::span<const std::byte>();
  return plane_.has_value();
}

bool Stream::Reading::begin_in_buffer() {
  const CircularBuffer buffer = core_.buffer();
  slot_.reset();
  if (const auto newest = buffer.newest()) {
    const CircularBuffer::Found found = buffer.begin_read(*newest, newest->cnt0);
    if (!found.frame.empty()) {
      frame_ = found.frame;
      slot_ = found;
    }
  }
  return slot_.has_value();
}

bool Stream::Reading::end() {
  const Metadata& shared = core_.header();
  bool is_whole = false;
  if (plane_) {
    is_whole = core_.planes().end_read(*plane_, result_.info);
  } else if (slot_) {
    is_whole = core_.buffer().end_read(*slot_, result_.info);
  } else {
    layout::finish_copy();
    // pyMilk clears the flag before it counts: between the two, what shows that there was another
    // frame is the time of its access, which it stores before it clears the flag.
    is_whole = layout::load(shared.write) == 0 && layout::load(shared.cnt0) == result_.info.cnt0 &&
               to_tai(layout::load(shared.lastaccesstime)) == result_.info.accesstime;
  }
  if (is_whole) {
    core_.require_not_lost();  // or it was zeros
    result_.state = FrameState::whole;
  }
  return is_whole;
}

FrameInfo Stream::as_made() const noexcept {
  // The C library looks at the clock for each of the two.
  constexpr std::chrono::milliseconds margin{1};
  const Tai accesstime = to_tai(layout::load(header().lastaccesstime));
  return {.accesstime = elapsed(created(), accesstime) < margin ? accesstime : created()};
}

Tai Stream::written() const noexcept {
  const FrameInfo frame = newest();
  return frame.cnt0 == 0 ? frame.writetime : written_after(as_made(), frame);
}

FrameInfo Stream::newest() const noexcept {
  // Counter and times are of one frame where none moved while the others were read. A writer that
  // is between them all the time is not waited for: then they are one frame apart at most.
  constexpr int tries = 100;
  const auto read = [this] {
    return FrameInfo{cnt0(), cnt1(), acquired(), to_tai(layout::load(header().writetime)),
                     to_tai(layout::load(header().lastaccesstime))};
  };
  FrameInfo frame = read();
  for (int i = 0; i < tries; ++i) {
    layout::finish_copy();
    const FrameInfo again = read();
    if (again == frame && !is_being_written()) {
      break;
    }
    frame = again;
  }
  return frame;
}

bool Stream::Reading::pause() {
  core_.require_not_lost();
  if (result_.retries++ == 0) {
    begin_ = std::chrono::steady_clock::now();
    deadline_ = given_ == nullptr ? begin_ + std::chrono::seconds{1} : *given_;
  }
  Backoff backoff(deadline_, begin_);
  const bool in_time = backoff.pause();
  if (!in_time || (backoff.is_slow() && layout::is_writing(core_.header()))) {
    const MidFrameWriter writer = core_.writer_in_mid_frame();
    if (!in_time || (writer.is_gone && writer.is_sure)) {
      result_.writer = writer.pid;
      result_.state = writer.is_gone && layout::is_writing(core_.header()) ? FrameState::unfinished
                                                                           : FrameState::busy;
      return false;
    }
  }
  return true;
}

void Stream::throw_no_room(std::uint64_t room, std::uint64_t bytes) const {
  throw Error(Problem::usage, name(),
              fmt::format("a frame has {} bytes, and there is room for {}", bytes, room));
}

namespace {

auto copy_to(std::span<std::byte> pixels) noexcept {
  return [pixels](std::span<const std::byte> frame) {
    copy_frame(pixels.data(), frame.data(), frame.size());
  };
}

}  // namespace

Snapshot Stream::snapshot(std::span<std::byte> pixels) const {
  require_room(pixels, core_->regions.array_bytes);
  return snapshot(copy_to(pixels));
}

Snapshot Stream::snapshot(std::span<std::byte> pixels, Deadline deadline) const {
  require_room(pixels, core_->regions.array_bytes);
  return snapshot(copy_to(pixels), deadline);
}

Snapshot Stream::snapshot_newest(std::span<std::byte> pixels) const {
  require_room(pixels, core_->format.frame_bytes());
  return snapshot_newest(copy_to(pixels), deadline_after(std::chrono::seconds{1}));
}

Snapshot Stream::take_whole(const Selection& selection, bool is_of_plane, std::span<std::byte> out,
                            Deadline deadline) const {
  const auto take = [&](std::span<const std::byte> frame) { selection.take(frame, out); };
  const Snapshot taken = is_of_plane ? snapshot_newest(take, deadline) : snapshot(take, deadline);
  require_whole(taken);
  return taken;
}

Snapshot Stream::snapshot_once(std::span<std::byte> pixels) const {
  return snapshot_once(pixels, deadline_after(std::chrono::seconds{1}));
}

Snapshot Stream::snapshot_once(std::span<std::byte> pixels, Deadline deadline) const {
  require_room(pixels, core_->regions.array_bytes);
  // The kernel's loads are this thread's: the fence after a copy orders them as it does ours.
  return snapshot(
      [this, pixels](std::span<const std::byte> frame) {
        if (!core_->segment.read_once(frame, pixels.data())) {
          core_->throw_cut_short();
        }
      },
      deadline);
}

Snapshot Stream::snapshot_trace(std::vector<TraceEntry>& entries) const {
  return snapshot_trace(entries, deadline_after(std::chrono::seconds{1}));
}

Snapshot Stream::snapshot_trace(std::vector<TraceEntry>& entries, Deadline deadline) const {
  return read_whole(Reading::What::trace, &deadline,
                    [&](std::span<const std::byte>) { entries = Trace(core_->trace()).entries(); });
}

void Stream::throw_not_whole(const Snapshot& snapshot) const {
  if (snapshot.state == FrameState::unfinished) {
    throw Error(Problem::unfinished, name(),
                fmt::format("holds an unfinished frame by process {}, {}", snapshot.writer,
                            core_->segment.liveness_of(snapshot.writer) == Liveness::dead
                                ? "dead"
                                : "which gave up"));
  }
  throw Error(
      Problem::busy, name(),
      snapshot.writer > 0
          ? fmt::format("no whole frame in {} tries: process {} keeps writing", snapshot.retries,
                        core_->segment.describe_user(snapshot.writer, true))
          : fmt::format("no whole frame in {} tries: it is always being written",
                        snapshot.retries));
}

Trigger Stream::trigger(TriggerMode mode, std::int32_t semaphore) const {
  Trigger trigger;
  trigger.entry.triggered = TaiClock::now();
  trigger.entry.trigger_inode = identity().inode;
  trigger.entry.mode = mode;
  trigger.entry.status = TriggerStatus::received;
  trigger.entry.semaphore = semaphore;
  // Briefly: ancestors that may be of two frames are worth less than the time of a process in the
  // loop.
  const Snapshot snapshot =
      snapshot_trace(trigger.ancestors, deadline_after(std::chrono::milliseconds{10}));
  trigger.entry.cnt0 = snapshot.state == FrameState::whole ? snapshot.info.cnt0 : cnt0();
  return trigger;
}

}  // namespace shmim
