#include "record/frame_queue.hpp"

#include <doctest/doctest.h>

namespace shmim::tools {
namespace {

constexpr std::size_t frame_bytes = 64;
/// Room for so many.
constexpr std::size_t frames = 5;

void push(FrameQueue& queue, std::uint64_t cnt0, std::uint64_t missed = 0) {
  QueuedFrame& frame = queue.begin();
  frame.taken.info.cnt0 = cnt0;
  frame.taken.missed = missed;
  frame.pixels[0] = static_cast<std::byte>(cnt0);
  queue.push();
}

void check_next(FrameQueue& queue, std::uint64_t cnt0, std::uint64_t missed) {
  REQUIRE(queue.wait() == FrameQueue::State::frame);
  CHECK(queue.front().taken.info.cnt0 == cnt0);
  CHECK(queue.front().taken.missed == missed);
  CHECK(queue.front().pixels[0] == static_cast<std::byte>(cnt0));
  queue.pop();
}

}  // namespace

TEST_CASE("frames for the disk come out in order, and then the end") {
  FrameQueue queue(frame_bytes, frames * frame_bytes);
  CHECK(queue.wait() == FrameQueue::State::none_yet);
  push(queue, 1);
  push(queue, 4, 2);
  queue.end();
  check_next(queue, 1, 0);
  check_next(queue, 4, 2);
  CHECK(queue.wait() == FrameQueue::State::ended);
  CHECK(queue.take_overrun().empty());
}

TEST_CASE("a frame that is not wanted leaves its room to the next") {
  FrameQueue queue(frame_bytes, frames * frame_bytes);
  queue.begin().taken.info.cnt0 = 1;
  push(queue, 2);
  check_next(queue, 2, 0);
}

TEST_CASE(
    "of a disk that is too slow the oldest frames give way, and are lacking before the next") {
  FrameQueue queue(frame_bytes, frames * frame_bytes);
  push(queue, 1);
  REQUIRE(queue.wait() == FrameQueue::State::frame);  // which is being written, and stays
  push(queue, 2);
  push(queue, 5, 2);
  for (std::uint64_t cnt0 = 6; cnt0 <= 8; ++cnt0) {
    push(queue, cnt0);
  }
  CHECK(queue.front().taken.info.cnt0 == 1);
  queue.pop();
  const auto overrun = queue.take_overrun();
  REQUIRE(overrun.size() == 1);
  CHECK(overrun[0].first == 2);
  CHECK(overrun[0].last == 2);
  CHECK(queue.take_overrun().empty());
  check_next(queue, 5, 3);
  check_next(queue, 6, 0);
  check_next(queue, 7, 0);
  check_next(queue, 8, 0);
}

TEST_CASE("however far the disk falls back, all that is lacking is counted") {
  FrameQueue queue(frame_bytes, frames * frame_bytes);
  constexpr std::uint64_t last = 1000;
  for (std::uint64_t cnt0 = 1; cnt0 <= last; ++cnt0) {
    push(queue, cnt0);
  }
  CHECK(queue.fill() == 1);
  queue.end();
  std::uint64_t seen = 0;
  while (queue.wait() == FrameQueue::State::frame) {
    const TakenFrame& taken = queue.front().taken;
    CHECK(taken.info.cnt0 == seen + taken.missed + 1);
    seen = taken.info.cnt0;
    queue.pop();
  }
  CHECK(seen == last);
  CHECK(queue.take_overrun().size() == last - frames);
}

}  // namespace shmim::tools
