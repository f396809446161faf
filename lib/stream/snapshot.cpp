// Reading one whole frame.

#include <fmt/format.h>

#include "base/copy.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/stream.hpp"
#include "stream/backoff.hpp"
#include "stream/core.hpp"
#include "stream/mid_frame.hpp"

namespace shmim {

using layout::Metadata;

Deadline Stream::default_deadline() noexcept { return deadline_after(std::chrono::seconds{1}); }

Snapshot Stream::read_whole(const std::function<void()>& copy, Deadline deadline,
                            const std::function<bool(Snapshot&)>& from_buffer) const {
  const Metadata& shared = header();
  Backoff backoff(deadline);
  Snapshot result;
  for (;; ++result.retries) {
    if (from_buffer) {
      if (from_buffer(result)) {
        require_not_lost();  // or it was zeros
        result.state = FrameState::whole;
        return result;
      }
    } else if (!layout::is_writing(shared)) {
      result.info.cnt0 = layout::cnt0(shared);
      result.info.cnt1 = cnt1();
      result.info.atime = acquired();
      result.info.writetime = written();
      copy();
      layout::finish_copy();
      if (layout::load(shared.write) == 0 && layout::load(shared.cnt0) == result.info.cnt0) {
        require_not_lost();
        result.state = FrameState::whole;
        return result;
      }
    }
    require_not_lost();
    const bool in_time = backoff.pause();
    if (!in_time || (backoff.is_slow() && layout::is_writing(shared))) {
      const Writer writer = writer_in_mid_frame(trace(), semaphores());
      if (!in_time || (writer.is_gone && writer.is_sure)) {
        result.writer = writer.pid;
        result.state =
            writer.is_gone && is_being_written() ? FrameState::unfinished : FrameState::busy;
        return result;
      }
    }
  }
}

Snapshot Stream::snapshot(const CopyFrame& copy, Deadline deadline) const {
  const std::span<const std::byte> array = core_->array();
  const CircularBuffer buffer = core_->buffer();
  std::function<bool(Snapshot&)> from_buffer;
  if (buffer.in_use()) {
    from_buffer = [&](Snapshot& result) {
      const auto newest = buffer.newest();
      return newest && buffer.read(*newest, newest->cnt0, copy, result.info);
    };
  }
  return read_whole([&] { copy(array); }, deadline, from_buffer);
}

void Stream::require_room(std::span<const std::byte> pixels) const {
  if (pixels.size() < core_->regions.array_bytes) {
    throw Error(Problem::usage, name(),
                fmt::format("a frame has {} bytes, and there is room for {}",
                            core_->regions.array_bytes, pixels.size()));
  }
}

Snapshot Stream::snapshot(std::span<std::byte> pixels, Deadline deadline) const {
  require_room(pixels);
  return snapshot(
      [pixels](std::span<const std::byte> frame) {
        copy_frame(pixels.data(), frame.data(), frame.size());
      },
      deadline);
}

Snapshot Stream::snapshot_once(std::span<std::byte> pixels, Deadline deadline) const {
  require_room(pixels);
  // The kernel's loads are this thread's: the fence after a copy orders them as it does ours.
  return snapshot(
      [this, pixels](std::span<const std::byte> frame) {
        if (!core_->segment.read_once(frame, pixels.data())) {
          core_->throw_cut_short();
        }
      },
      deadline);
}

Snapshot Stream::snapshot_trace(std::vector<TraceEntry>& entries, Deadline deadline) const {
  return read_whole([&] { entries = trace().entries(); }, deadline, {});
}

void Stream::require_whole(const Snapshot& snapshot) const {
  if (snapshot.state == FrameState::unfinished) {
    throw Error(Problem::unfinished, name(),
                fmt::format("holds an unfinished frame by process {}, {}", snapshot.writer,
                            is_alive(snapshot.writer) ? "which gave up" : "dead"));
  }
  if (snapshot.state == FrameState::busy) {
    throw Error(Problem::busy, name(),
                snapshot.writer > 0
                    ? fmt::format("no whole frame in {} tries: process {} keeps writing",
                                  snapshot.retries, describe_process(snapshot.writer))
                    : fmt::format("no whole frame in {} tries: it is always being written",
                                  snapshot.retries));
  }
}

Trigger Stream::trigger(TriggerMode mode, std::int32_t semaphore) const {
  Trigger trigger;
  trigger.entry.triggered = now();
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
