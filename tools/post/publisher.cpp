#include "post/publisher.hpp"

#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace shmim::tools {

Publisher::Publisher(Stream stream, Slice slice, PublishOptions options)
    : stream_(std::move(stream)),
      slice_(std::move(slice)),
      options_(std::move(options)),
      selection_(slice_, stream_.format().shape, stream_.format().type) {
  check();
  claim();
}

void Publisher::check() const {
  const Shape& shape = stream_.format().shape;
  if (options_.plane) {
    if (shape.axes() < layout::max_axes) {
      throw Error(Problem::usage, stream_.name(),
                  fmt::format("has no z planes: its size is {}", to_string(shape)));
    }
    if (*options_.plane >= shape[2]) {
      throw Error(
          Problem::usage, stream_.name(),
          fmt::format("there is no plane {}: there are 0 to {}", *options_.plane, shape[2] - 1));
    }
  }
  if (options_.plane && !selection_.is_whole()) {
    throw Error(Problem::usage, stream_.name(),
                "a slice in the reference and --slice exclude one another");
  }
  if (selection_.bins()) {
    throw Error(Problem::usage, stream_.name(), "a slice that averages cannot be written");
  }
  const unsigned count = stream_.semaphores().count();
  for (const unsigned index : options_.posts.listed()) {
    if (index >= count) {
      throw Error(Problem::usage, stream_.name(),
                  fmt::format("there is no semaphore {}: there are {}", index, count));
    }
  }
}

void Publisher::claim() {
  claim_.reset();
  if (options_.claim) {
    claim_.emplace(stream_.claim_writing());
  } else {
    stream_.require_unclaimed();
  }
}

void Publisher::respect_claim() {
  // Now and then: to ask takes longer than to publish.
  constexpr std::chrono::milliseconds interval{100};
  const auto now = std::chrono::steady_clock::now();
  if (!claim_ && now - looked_for_claim_ >= interval) {
    looked_for_claim_ = now;
    stream_.require_unclaimed();
  }
}

bool Publisher::is_plane() const noexcept {
  return options_.plane || (stream_.format().is_circular() && selection_.is_whole());
}

Shape Publisher::frame_shape() const {
  const Shape& shape = stream_.format().shape;
  return is_plane() ? Shape{shape[0], shape[1]} : selection_.shape();
}

void Publisher::note_trigger() {
  if (options_.trigger) {
    trigger_ = options_.trigger->trigger(TriggerMode::cnt0);
  }
}

void Publisher::follow_replacement() {
  if (stream_.is_current()) {
    return;
  }
  try {
    Stream successor = Stream::open(stream_.path());
    if (const auto differing = differences(successor.format(), type_and_shape(stream_.format()));
        !differing.empty()) {
      throw Error(Problem::mismatch, stream_.name(),
                  fmt::format("was made anew with another format: {}", to_string(differing)));
    }
    claim_.reset();
    stream_ = std::move(successor);
    check();
    claim();
  } catch (const Error& error) {
    if (error.problem() == Problem::not_found) {
      throw Error(Problem::removed, stream_.name(), "was removed while we wrote to it");
    }
    throw;
  }
}

void Publisher::write(WriteGuard& guard, std::span<const std::byte> pixels) const {
  if (is_plane()) {
    const std::uint32_t planes = stream_.format().shape[2];
    // The first frame of a rolling buffer goes to plane 0, each further one behind the one before.
    const auto next =
        static_cast<std::uint32_t>(stream_.cnt0() == 0 ? 0 : (stream_.cnt1() + 1) % planes);
    std::memcpy(guard.slice(options_.plane.value_or(next)).data(), pixels.data(), pixels.size());
  } else if (selection_.is_whole()) {
    guard.write(pixels);
  } else {
    selection_.put(pixels, guard.pixels());
  }
}

void Publisher::publish(std::span<const std::byte> pixels) {
  follow_replacement();
  respect_claim();
  WriteGuard guard(stream_);
  const bool is_whole = !pixels.empty() && selection_.is_whole() && !options_.plane;
  if (guard.needs_whole_frame() && !is_whole) {
    guard.cancel();
    throw Error(Problem::unfinished, stream_.name(),
                "holds an unfinished frame of a writer that died; only a whole frame mends it");
  }
  try {  // before the pixels: what has no slot must not leave half a frame
    stream_.keywords().set(options_.keywords);
  } catch (const Error&) {
    guard.cancel();
    throw;
  }
  if (!pixels.empty()) {
    write(guard, pixels);
  }
  if (options_.atime) {
    guard.set_atime(*options_.atime);
  }
  if (options_.pid) {
    guard.set_pid(*options_.pid);
  }
  if (trigger_) {
    guard.set_trigger(*trigger_);
  }
  guard.publish(options_.posts);
  stream_.require_intact();
}

}  // namespace shmim::tools
