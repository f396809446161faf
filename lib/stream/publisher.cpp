#include "shmim/publisher.hpp"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/write.hpp"
#include "stream/backoff.hpp"
#include "stream/successor.hpp"

namespace shmim {

Publisher::Publisher(Stream stream, PublishOptions options)
    : stream_(std::move(stream)),
      options_(std::move(options)),
      selection_(options_.slice, stream_.format().shape, stream_.format().type) {
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
    if (!selection_.is_whole()) {
      throw Error(Problem::usage, stream_.name(), "a slice and a plane exclude one another");
    }
  }
  if (selection_.bins()) {
    throw Error(Problem::usage, stream_.name(), "a slice that averages cannot be written");
  }
  stream_.semaphores().require(options_.posts);
}

void Publisher::prepare_keywords() {
  keywords_.reset();
  if (!options_.keywords.empty()) {
    keywords_.emplace(stream_.keywords(), options_.keywords);
  }
}

void Publisher::set_keywords(std::vector<Keyword> keywords) {
  if (keywords != options_.keywords) {
    options_.keywords = std::move(keywords);
    prepare_keywords();
  }
}

void Publisher::claim() {
  prepare_keywords();
  claim_.reset();
  if (options_.claim) {
    claim_.emplace(stream_.claim_writing());
  } else {
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

std::uint64_t Publisher::frame_bytes() const {
  return frame_shape().elements() * element_size(type());
}

void Publisher::follow_recreation() {
  Backoff backoff(deadline_after(std::chrono::seconds{1}));
  while (!stream_.is_current()) {
    Successor successor = find_successor(stream_);
    switch (successor.kind) {
      case Successor::Kind::none:
        throw Error(Problem::removed, stream_.name(), "was removed while we wrote to it");
      case Successor::Kind::differs:
        throw Error(Problem::mismatch, stream_.name(),
                    fmt::format("was re-created with another format: {}", successor.difference));
      case Successor::Kind::half_made:
        if (!backoff.pause()) {
          throw Error(Problem::removed, stream_.name(),
                      "was removed while we wrote to it, and what has its name is not a stream");
        }
        break;
      case Successor::Kind::same:
        claim_.reset();
        stream_ = *std::move(successor.stream);
        check();
        claim();
        return;
    }
  }
}

void Publisher::write(WriteGuard& guard, std::span<const std::byte> pixels) const {
  if (is_plane()) {
    const std::uint32_t planes = stream_.format().shape[2];
    // The first frame of a rolling buffer goes to plane 0, each further one behind the one before.
    const auto next =
        static_cast<std::uint32_t>(stream_.cnt0() == 0 ? 0 : (stream_.cnt1() + 1) % planes);
    std::memcpy(guard.plane(options_.plane.value_or(next)).data(), pixels.data(), pixels.size());
  } else if (selection_.is_whole()) {
    guard.write(pixels);
  } else {
    selection_.put(pixels, guard.pixels());
  }
}

std::uint64_t Publisher::publish(std::span<const std::byte> pixels) {
  follow_recreation();
  const std::uint64_t bytes = frame_bytes();
  if (!pixels.empty() && pixels.size() != bytes) {
    throw Error(Problem::usage, stream_.name(),
                fmt::format("a frame of {} bytes: it has {}", pixels.size(), bytes));
  }
  if (keywords_) {
    keywords_->prepare();  // before the flag: readers must not wait for a look at the table
  }
  WriteGuard guard(stream_);
  guard.set_lost(std::exchange(lost_, 0));
  const bool is_whole = !pixels.empty() && selection_.is_whole() && !options_.plane;
  if (guard.needs_whole_frame() && !is_whole) {
    guard.cancel();
    throw Error(Problem::unfinished, stream_.name(),
                "holds an unfinished frame of a writer that died; only a whole frame mends it");
  }
  if (keywords_) {
    keywords_->write();
  }
  if (!pixels.empty()) {
    write(guard, pixels);
  }
  if (options_.atime) {
    guard.set_atime(*options_.atime);
  }
  if (written_) {
    guard.set_written(*written_);
  }
  if (options_.pid) {
    guard.set_pid(*options_.pid);
  }
  if (trigger_) {
    guard.set_trigger(*trigger_);
  }
  const std::uint64_t cnt0 = guard.publish(options_.posts);
  stream_.require_intact();
  return cnt0;
}

}  // namespace shmim
