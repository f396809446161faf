#include "network/source.hpp"

#include <utility>

#include "shmim/error.hpp"
#include "shmim/fits.hpp"
#include "shmim/frames.hpp"
#include "shmim/process.hpp"

namespace shmim::network {
namespace {

bool are_half_claimed(const Semaphores& semaphores) {
  unsigned claimed = 0;
  for (unsigned index = 0; index < semaphores.count(); ++index) {
    claimed += semaphores.reader(index) > 0 ? 1 : 0;
  }
  return 2 * claimed >= semaphores.count();
}

}  // namespace

Source::Source(Reference reference, const SearchPath& search_path, std::function<bool()> cancelled,
               FrameParts parts, bool spares_semaphores)
    : reference_(std::move(reference)),
      search_path_(search_path),
      cancelled_(std::move(cancelled)),
      parts_(std::move(parts)),
      spares_semaphores_(spares_semaphores),
      boot_(boot_id()) {
  open(open_existing(reference_, search_path_));
}

void Source::open(const Stream& stream) {
  const Format& format = stream.format();
  const Slice& slice = reference_.slice.empty() ? parts_.slice : reference_.slice;
  const bool is_of_plane = !parts_.whole && follows_planes(slice, format);
  const Selection made = selection_of(reference_.slice, format, is_of_plane);
  format_ = std::make_shared<Format>(format);
  if (!reference_.slice.empty() || format.location >= 0 || (format.is_circular() && !is_of_plane)) {
    Format of_selection = format;
    of_selection.shape = made.shape();
    of_selection.image_type = layout::image_math_data;
    of_selection.location = -1;
    format_ = std::make_shared<Format>(of_selection);
  }
  FollowOptions options;
  options.whole_array = !is_of_plane;
  options.passive = spares_semaphores_ && are_half_claimed(stream.semaphores());
  options.cancelled = cancelled_;
  follower_.emplace(stream, std::move(options));
  made_ = made;
  taken_.reset();
  if (parts_.pixels) {
    taken_ = parts_.slice.empty() ? made : selection_in(format, parts_.slice, is_of_plane);
  }
  pool_.emplace(taken_ ? taken_->bytes() : 0);
  inode_ = stream.identity().inode;
  clock_ = clock_of(stream);
  restart();
}

void Source::restart() noexcept {
  const std::uint64_t cnt0 = follower_->stream().cnt0();
  follower_->set_seen(cnt0 > 0 ? cnt0 - 1 : 0);
}

Arrival Source::take_frame(FrameOrder order, Deadline deadline, zmq::message_t& pixels,
                           TakenFrame& frame) {
  if (!taken_ && order == FrameOrder::latest) {
    return follower_->wait(deadline, frame);
  }
  if (!taken_) {
    return follower_->next(
        order, deadline, [](std::span<const std::byte>) {}, frame);
  }
  pixels = pool_->message();
  return follower_->next(
      order, deadline,
      [&](std::span<const std::byte> whole) {
        taken_->take(whole, {pixels.data<std::byte>(), pixels.size()});
      },
      frame);
}

Arrival Source::take(FrameOrder order, Deadline deadline, Packet& packet) {
  zmq::message_t pixels;
  TakenFrame taken;
  const Arrival arrival = take_frame(order, deadline, pixels, taken);
  if (arrival != Arrival::arrived) {
    return arrival;
  }
  if (std::exchange(inode_, taken.inode) != taken.inode) {
    // Re-created in the same format: another stream all the same.
    format_ = std::make_shared<Format>(*format_);
    clock_ = clock_of(follower_->stream());
  }
  FrameRecord record;
  record.name = reference_.name;
  record.type = made_->type();
  record.shape = made_->shape();
  record.image_type = format_->image_type;
  record.info = taken.info;
  record.info.atime = on_tai(taken.info.atime, clock_);
  record.info.writetime = on_tai(taken.info.writetime, clock_);
  record.keywords = move_world(follower_->stream().keywords().all(), *made_);
  record.trace = std::move(taken.trace);
  record.inode = taken.inode;
  record.boot = boot_;
  const std::string head = frame_head(record);
  packet.number = ++number_;
  packet.cnt0 = taken.info.cnt0;
  packet.format = format_;
  packet.type = made_->type();
  packet.head = zmq::message_t(head);
  packet.pixels = std::move(pixels);
  return arrival;
}

bool Source::reopen() {
  try {
    open(open_existing(reference_, search_path_));
    return true;
  } catch (const Error& error) {
    if (error.problem() == Problem::not_found || may_be_half_made(error.problem())) {
      return false;
    }
    throw;
  }
}

}  // namespace shmim::network
