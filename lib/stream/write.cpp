#include "shmim/write.hpp"

#include <fmt/format.h>

#include "base/copy.hpp"
#include "parts/semaphores_post.hpp"
#include "parts/trace_writer.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "stream/backoff.hpp"
#include "stream/core.hpp"

namespace shmim {

WriteGuard::WriteGuard(Stream& stream) : WriteGuard(stream, nullptr) {}

WriteGuard::WriteGuard(Stream& stream, Deadline deadline) : WriteGuard(stream, &deadline) {}

WriteGuard::WriteGuard(Stream& stream, const Deadline* deadline)
    : core_(stream.core_), header_(core_->header()), pixels_(core_->array()), pid_(this_process()) {
  if (!core_->segment.writable()) {
    throw Error(Problem::not_ours_to_write, core_->name,
                "cannot be written: it is read-only for us");
  }
  core_->respect_claim();
  core_->announce_writer();
  if (!layout::begin_writing(header_)) {
    await_turn(deadline);
  }
  // The mark lets others tell our death from a slow peer. Whoever was stopped between the flag and
  // the mark may find that another took the flag for that of a dead writer's frame, and wait anew.
  while (!unfinished_ && !put_mark()) {
    await_turn(deadline);
  }
  if (unfinished_) {
    restore_newest_frame();
  }
}

// Without a deadline none is made unless somebody else is writing: a look at the clock takes as
// long as all the rest of an empty frame.
void WriteGuard::await_turn(const Deadline* given) {
  const Deadline deadline = given == nullptr ? deadline_after(std::chrono::seconds{1}) : *given;
  const TraceWriter trace(core_->trace());
  const std::uint64_t count = layout::load(header_.cnt0);
  Backoff backoff(deadline);
  do {
    const bool in_time = backoff.pause();
    if (in_time && !backoff.is_slow()) {
      continue;
    }
    remember_mark();
    const MidFrameWriter writer = core_->writer_in_mid_frame();
    if (!in_time && writer.is_sure && !writer.is_gone) {
      throw Error(Problem::busy, core_->name,
                  fmt::format("process {} is in the middle of writing a frame",
                              core_->segment.describe_user(writer.pid, true)));
    }
    // Several may find it abandoned: the one that changes the mark takes over.
    if (writer.is_sure && writer.is_gone && trace.take_over(writer.pid, this_process())) {
      unfinished_ = true;
      return;
    }
    if (!in_time && !writer.is_sure) {
      // Nobody is named by a program of the C library, nor by one of ours within an instruction of
      // the flag. While frames are counted it is such moments that we saw, each of another frame.
      if (layout::load(header_.cnt0) != count) {
        throw Error(Problem::busy, core_->name, "others keep writing: our turn did not come");
      }
      // A flag up for all that time is anybody's.
      if (trace.take_over({before_.pid, before_.seconds}, this_process())) {
        unfinished_ = true;
        return;
      }
    }
  } while (!layout::begin_writing(header_));
}

bool WriteGuard::put_mark() noexcept {
  remember_mark();
  return TraceWriter(core_->trace()).begin({before_.pid, before_.seconds}, pid_);
}

void WriteGuard::remember_mark() noexcept {
  const TraceWriter::Mark mark = TraceWriter(core_->trace()).mark();
  before_ = {mark.pid, mark.seconds};
}

WriteGuard::~WriteGuard() {
  if (open_ && !is_touched_) {
    cancel();
  } else if (open_) {
    // The flag stays up over what may be half a frame, whose writer may live on.
    TraceWriter(core_->trace()).give_up(this_process());
  }
}

void WriteGuard::restore_newest_frame() noexcept {
  const CircularBuffer buffer = core_->buffer();
  // Looked for before the buffer is altered. No other than the frame that is counted will do: what
  // the array has may be newer.
  const auto newest = buffer.newest();
  if (buffer.holds_uncounted()) {
    core_->buffer_writer().withdraw_newest();
  }
  core_->withdraw_uncounted_slices();
  FrameInfo info;
  const auto put_back = [this](std::span<const std::byte> frame) {
    copy_frame(pixels_.data(), frame.data(), frame.size());
  };
  unfinished_ = !newest || !buffer.read(*newest, newest->cnt0, put_back, info);
}

std::span<std::byte> WriteGuard::plane(std::uint32_t z) {
  const Shape& shape = core_->format.shape;
  if (shape.axes() < layout::max_axes) {
    throw Error(Problem::usage, core_->name,
                fmt::format("has no z planes: its size is {}", to_string(shape)));
  }
  if (z >= shape[2]) {
    throw Error(Problem::usage, core_->name,
                fmt::format("there is no plane {}: there are 0 to {}", z, shape[2] - 1));
  }
  plane_ = z;
  const std::size_t bytes = pixels_.size() / shape[2];
  return pixels().subspan(z * bytes, bytes);
}

void WriteGuard::write(std::span<const std::byte> frame) {
  if (frame.size() != pixels_.size()) {
    throw Error(
        Problem::usage, core_->name,
        fmt::format("a frame has {} bytes, and {} were given", pixels_.size(), frame.size()));
  }
  is_touched_ = true;
  const std::span<std::byte> slot = core_->buffer_writer().begin_frame();
  in_buffer_ = !slot.empty();
  if (in_buffer_) {
    copy_frame_twice(pixels_.data(), slot.data(), frame.data(), pixels_.size());
  } else {
    copy_frame(pixels_.data(), frame.data(), pixels_.size());
  }
}

void WriteGuard::require_open() const {
  if (!open_) {
    throw Error(Problem::usage, core_->name, "this frame has been published or cancelled already");
  }
}

void WriteGuard::set_lost(std::uint64_t frames) {
  // Half of what fits: others may count meanwhile, and the greatest number is no frame's.
  constexpr std::uint64_t most = UINT64_MAX / 2;
  if (frames > most || (frames > 0 && layout::load(header_.cnt0) > most - frames)) {
    throw Error(Problem::failed, core_->name,
                fmt::format("cannot count {} lost frames after frame {}", frames,
                            layout::load(header_.cnt0)));
  }
  lost_ = frames;
}

std::uint64_t WriteGuard::publish() {
  require_open();
  return show(SemaphoreSet::all());
}

std::uint64_t WriteGuard::publish(const SemaphoreSet& posts) {
  require_open();
  if (!posts.listed().empty()) {
    Semaphores(core_->semaphores(), core_->segment, {core_, &core_->name}).require(posts);
  }
  return show(posts);
}

std::uint64_t WriteGuard::show(const SemaphoreSet& posts) noexcept {
  const Tai written = written_.value_or(TaiClock::now());
  const FrameInfo info{layout::load(header_.cnt0) + lost_ + 1,
                       plane_.value_or(layout::load(header_.cnt1)), atime_.value_or(written),
                       written};
  layout::store(header_.cnt1, info.cnt1);
  layout::store(header_.atime, to_timespec(info.atime));
  layout::store(header_.writetime, to_timespec(info.writetime));
  core_->store_slice_info(info);
  const CircularBufferWriter buffer = core_->buffer_writer();
  if (!in_buffer_) {
    if (const std::span<std::byte> slot = buffer.begin_frame(); !slot.empty()) {
      copy_frame(slot.data(), pixels_.data(), slot.size());
    }
  }
  buffer.push(info);
  TraceEntry newest = trigger_ == nullptr ? TraceEntry{} : trigger_->entry;
  newest.pid = this_process();
  newest.writing = Writing::begun;  // until the frame is counted
  newest.written.reset();
  const TraceWriter trace(core_->trace());
  if (trigger_ == nullptr) {
    newest.triggered = written;
    trace.record(newest);
  } else {
    trace.record(newest, trigger_->ancestors);
  }
  buffer.number(info.cnt0);
  const std::uint64_t count = layout::count_frame(header_, lost_);
  trace.finish(written, pid_);
  layout::end_writing(header_);
  open_ = false;
  post_known(core_->semaphores(), posts);
  return count;
}

void WriteGuard::cancel() noexcept {
  if (!open_) {
    return;
  }
  TraceWriter(core_->trace()).restore({before_.pid, before_.seconds});
  if (!unfinished_) {
    layout::end_writing(header_);
  }
  open_ = false;
}

}  // namespace shmim
