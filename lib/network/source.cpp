#include "network/source.hpp"

#include <utility>

#include "shmim/error.hpp"
#include "shmim/fits.hpp"
#include "shmim/frames.hpp"
#include "shmim/process.hpp"

namespace shmim::network {

Source::Source(Reference reference, const SearchPath& search_path, std::function<bool()> cancelled,
               bool whole)
    : reference_(std::move(reference)),
      search_path_(search_path),
      cancelled_(std::move(cancelled)),
      is_whole_(whole),
      boot_(boot_id()) {
  open(open_existing(reference_, search_path_));
}

void Source::open(const Stream& stream) {
  const Format& format = stream.format();
  const bool is_of_plane = !is_whole_ && follows_planes(reference_.slice, format);
  const Selection selection = selection_of(reference_.slice, format, is_of_plane);
  if (!reference_.slice.empty() || format.location >= 0 || (is_whole_ && format.is_circular())) {
    Format of_selection = format;
    of_selection.shape = selection.shape();
    of_selection.image_type = layout::image_math_data;
    of_selection.location = -1;
    format_ = std::make_shared<Format>(of_selection);
  } else {
    format_ = std::make_shared<Format>(format);
  }
  FollowOptions options;
  options.whole_array = !is_of_plane;
  options.cancelled = cancelled_;
  follower_.emplace(stream, std::move(options));
  selection_ = selection;
  pool_.emplace(selection_->bytes());
  inode_ = stream.identity().inode;
  clock_ = clock_of(stream);
  restart();
}

void Source::restart() noexcept {
  const std::uint64_t cnt0 = follower_->stream().cnt0();
  follower_->set_seen(cnt0 > 0 ? cnt0 - 1 : 0);
}

Arrival Source::take(FrameOrder order, Deadline deadline, Packet& packet) {
  zmq::message_t pixels = pool_->message();
  TakenFrame taken;
  const Arrival arrival = follower_->next(
      order, deadline,
      [&](std::span<const std::byte> frame) {
        selection_->take(frame, {pixels.data<std::byte>(), pixels.size()});
      },
      taken);
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
  record.type = selection_->type();
  record.shape = selection_->shape();
  record.image_type = format_->image_type;
  record.info = taken.info;
  record.info.atime = on_tai(taken.info.atime, clock_);
  record.info.writetime = on_tai(taken.info.writetime, clock_);
  record.keywords = move_world(follower_->stream().keywords().all(), *selection_);
  record.trace = std::move(taken.trace);
  record.inode = taken.inode;
  record.boot = boot_;
  const std::string head = frame_head(record);
  packet.number = ++taken_;
  packet.cnt0 = taken.info.cnt0;
  packet.format = format_;
  packet.type = selection_->type();
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
