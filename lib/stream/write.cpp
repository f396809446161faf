#include "shmim/write.hpp"

#include <fmt/format.h>

#include "base/copy.hpp"
#include "parts/circular_buffer_writer.hpp"
#include "parts/trace_writer.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "stream/backoff.hpp"
#include "stream/mid_frame.hpp"

namespace shmim {

// Without a deadline none is made unless somebody else is writing: a look at the clock takes as
// long as all the rest of an empty frame.
WriteGuard::WriteGuard(const Stream& stream) : WriteGuard(stream, std::optional<Deadline>()) {}

WriteGuard::WriteGuard(const Stream& stream, Deadline deadline)
    : WriteGuard(stream, std::optional<Deadline>(std::in_place, deadline)) {}

WriteGuard::WriteGuard(const Stream& stream, const std::optional<Deadline>& deadline)
    : stream_(stream),
      header_(stream.header()),
      pixels_(stream.unguarded_pixels()),
      pid_(this_process()) {
  if (!stream.writable()) {
    throw Error(Problem::not_ours_to_write, stream.name(),
                "cannot be written: it is read-only for us");
  }
  const TraceWriter trace(stream.trace_slots());
  if (!layout::begin_writing(header_)) {
    await_turn(deadline.value_or(deadline_after(std::chrono::seconds{1})));
  }
  if (!unfinished_) {
    remember_mark();
  }
  trace.begin(pid_);  // so that others can tell our death from a slow peer
  if (unfinished_) {
    restore_newest_frame();
  }
}

void WriteGuard::await_turn(Deadline deadline) {
  const TraceWriter trace(stream_.trace_slots());
  Backoff backoff(deadline);
  do {
    const bool in_time = backoff.pause();
    if (in_time && !backoff.is_slow()) {
      continue;
    }
    remember_mark();
    const Writer writer = writer_in_mid_frame(stream_.trace(), stream_.semaphores());
    if (!in_time && writer.is_sure && !writer.is_gone) {
      throw Error(Problem::busy, stream_.name(),
                  fmt::format("process {} is in the middle of writing a frame",
                              describe_process(writer.pid)));
    }
    // Of several writers that find it abandoned, the one that changes the PID takes over. A program
    // of the C library names nobody when it begins, so its flag, once up too long, is anybody's.
    if ((writer.is_sure && writer.is_gone && trace.take_over(writer.pid, this_process())) ||
        !in_time) {
      unfinished_ = true;
      return;
    }
  } while (!layout::begin_writing(header_));
}

void WriteGuard::remember_mark() noexcept {
  const TraceWriter::Mark mark = TraceWriter(stream_.trace_slots()).mark();
  before_ = {mark.pid, mark.seconds};
}

WriteGuard::~WriteGuard() {
  if (open_) {
    // The flag stays up over what may be half a frame, whose writer may live on.
    TraceWriter(stream_.trace_slots()).give_up(this_process());
  }
}

void WriteGuard::restore_newest_frame() noexcept {
  const CircularBuffer buffer = stream_.circular_buffer();
  if (!buffer.in_use()) {
    return;
  }
  if (buffer.holds_uncounted()) {
    // All of its frame but the count: readers may have it, and the next slot is the next frame's.
    static_cast<void>(layout::count_frame(header_));
  }
  stream_.buffer_writer().copy_newest(pixels_);
  unfinished_ = false;
}

std::span<std::byte> WriteGuard::slice(std::uint32_t z) noexcept {
  slice_ = z;
  const std::size_t bytes = pixels_.size() / stream_.format().shape[2];
  return pixels_.subspan(z * bytes, bytes);
}

void WriteGuard::write(std::span<const std::byte> frame) noexcept {
  const std::span<std::byte> slot = stream_.buffer_writer().next_frame();
  in_buffer_ = !slot.empty();
  if (in_buffer_) {
    copy_frame_twice(pixels_.data(), slot.data(), frame.data(), pixels_.size());
  } else {
    copy_frame(pixels_.data(), frame.data(), pixels_.size());
  }
}

std::uint64_t WriteGuard::publish() noexcept { return publish(SemaphoreSet::all()); }

std::uint64_t WriteGuard::publish(const SemaphoreSet& posts) noexcept {
  const Tai written = now();
  const FrameInfo info{layout::load(header_.cnt0) + 1, slice_.value_or(layout::load(header_.cnt1)),
                       atime_.value_or(written), written};
  layout::store(header_.cnt1, info.cnt1);
  layout::store(header_.atime, to_timespec(info.atime));
  layout::store(header_.writetime, to_timespec(info.writetime));
  stream_.store_slice_info(info);
  if (in_buffer_) {
    stream_.buffer_writer().push(info);
  } else {
    stream_.buffer_writer().push(pixels_, info);
  }
  TraceEntry newest = trigger_ == nullptr ? TraceEntry{} : trigger_->entry;
  newest.pid = this_process();
  newest.writing = Writing::begun;  // until the frame is counted
  newest.written.reset();
  const TraceWriter trace(stream_.trace_slots());
  if (trigger_ == nullptr) {
    newest.triggered = written;
    trace.record(newest);
  } else {
    trace.record(newest, trigger_->ancestors);
  }
  const std::uint64_t count = layout::count_frame(header_);
  trace.finish(written, pid_);
  layout::end_writing(header_);
  open_ = false;
  stream_.semaphores().post_checked(posts);
  return count;
}

void WriteGuard::cancel() noexcept {
  TraceWriter(stream_.trace_slots()).restore({before_.pid, before_.seconds});
  if (!unfinished_) {
    layout::end_writing(header_);
  }
  open_ = false;
}

}  // namespace shmim
