#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <shmim/frame_queue.hpp>
#include <sys/mman.h>

#include "support/unit.hpp"

namespace shmim::test {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t bytes_of_frame = 64;

/// Room for so many frames.
FrameQueueOptions room_for(std::size_t frames) {
  FrameQueueOptions options;
  options.memory = frames * (bytes_of_frame + sizeof(QueuedFrame));
  return options;
}

FrameQueueOptions holding(std::size_t frames,
                          std::optional<std::chrono::nanoseconds> longest = {}) {
  FrameQueueOptions options = room_for(frames);
  options.holds = true;
  options.longest = longest;
  return options;
}

void push_frame(FrameQueue& queue, std::uint64_t cnt0, std::uint64_t missed = 0) {
  QueuedFrame& frame = queue.begin();
  frame.taken = {};
  frame.taken.info.cnt0 = cnt0;
  frame.taken.missed = missed;
  frame.pixels[0] = static_cast<std::byte>(cnt0);
  queue.push();
}

void push_all(FrameQueue& queue, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t cnt0 = first; cnt0 <= last; ++cnt0) {
    push_frame(queue, cnt0);
  }
}

void check_next_frame(FrameQueue& queue, std::uint64_t cnt0, std::uint64_t missed,
                      const RecordedTrigger* trigger = nullptr) {
  REQUIRE(queue.wait() == FrameQueue::State::frame);
  CHECK(queue.front().taken.info.cnt0 == cnt0);
  CHECK(queue.front().taken.missed == missed);
  CHECK(queue.front().pixels[0] == static_cast<std::byte>(cnt0));
  CHECK(queue.front().trigger.get() == trigger);
  queue.pop();
}

std::shared_ptr<const RecordedTrigger> make_trigger(const char* what) {
  return std::make_shared<RecordedTrigger>(RecordedTrigger{what, "cam", TaiClock::now()});
}

steady_clock::time_point right_now() { return steady_clock::now(); }
steady_clock::time_point much_later() { return steady_clock::now() + std::chrono::hours{1}; }

}  // namespace

TEST_CASE("frames for the disk come out in order, and then the end") {
  FrameQueue queue(bytes_of_frame, room_for(5));
  CHECK(queue.wait() == FrameQueue::State::none_yet);
  push_frame(queue, 1);
  push_frame(queue, 4, 2);
  queue.end();
  check_next_frame(queue, 1, 0);
  check_next_frame(queue, 4, 2);
  CHECK(queue.wait() == FrameQueue::State::ended);
  CHECK(queue.take_overrun().empty());
}

TEST_CASE("a frame that is not wanted leaves its room to the next") {
  FrameQueue queue(bytes_of_frame, room_for(5));
  queue.begin().taken.info.cnt0 = 1;
  push_frame(queue, 2);
  check_next_frame(queue, 2, 0);
}

TEST_CASE("the memory that was used last is used again, and more of it once it is needed") {
  FrameQueue queue(bytes_of_frame, room_for(1000));
  push_frame(queue, 1);
  const std::byte* const first = [&queue] {
    REQUIRE(queue.wait() == FrameQueue::State::frame);
    const std::byte* const pixels = queue.front().pixels.data();
    queue.pop();
    return pixels;
  }();
  CHECK(queue.begin().pixels.data() == first);
  push_frame(queue, 2);
  CHECK(queue.begin().pixels.data() != first);
  check_next_frame(queue, 2, 0);
}

TEST_CASE("all of the memory is there soon, before it is needed") {
  constexpr std::size_t bytes = (std::size_t{1} << 20) + 1;
  FrameQueueOptions options;
  options.memory = std::size_t{16} << 20;
  FrameQueue queue(bytes, options);
  auto* const memory = queue.begin().pixels.data();
  if (::madvise(memory, bytes, MADV_POPULATE_WRITE) != 0) {
    MESSAGE("skipped: the kernel does not give memory before it is used");
    return;
  }
  constexpr std::size_t page = 4096;
  std::vector<unsigned char> pages(14 * bytes / page);  // fewer than there are
  const auto is_there = [&] {
    REQUIRE(::mincore(memory, pages.size() * page, pages.data()) == 0);
    return std::ranges::all_of(pages, [](unsigned char is_resident) { return is_resident == 1; });
  };
  const auto deadline = steady_clock::now() + std::chrono::seconds{20};
  while (!is_there() && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  CHECK(is_there());
}

TEST_CASE(
    "of a disk that is too slow the oldest frames give way, and are lacking before the next") {
  FrameQueue queue(bytes_of_frame, room_for(5));
  push_frame(queue, 1);
  REQUIRE(queue.wait() == FrameQueue::State::frame);  // which is being written, and stays
  push_frame(queue, 2);
  push_frame(queue, 5, 2);
  push_all(queue, 6, 8);
  CHECK(queue.front().taken.info.cnt0 == 1);
  queue.pop();
  const auto overrun = queue.take_overrun();
  REQUIRE(overrun.size() == 1);
  CHECK(overrun[0].first == 2);
  CHECK(overrun[0].last == 2);
  CHECK(queue.take_overrun().empty());
  check_next_frame(queue, 5, 3);
  check_next_frame(queue, 6, 0);
  check_next_frame(queue, 7, 0);
  check_next_frame(queue, 8, 0);
}

TEST_CASE("however far the disk falls back, all that is lacking is counted") {
  constexpr std::size_t frames = 5;
  FrameQueue queue(bytes_of_frame, room_for(frames));
  constexpr std::uint64_t last = 1000;
  push_all(queue, 1, last);
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
  CHECK(queue.fill() == 0);
}

TEST_CASE("frames that are held come out once they are released, and those that follow") {
  FrameQueue queue(bytes_of_frame, holding(32));
  CHECK(queue.wait() == FrameQueue::State::all_written);
  push_all(queue, 1, 3);
  CHECK(queue.held() == 3);
  CHECK(queue.wait() == FrameQueue::State::all_written);
  const auto lost = make_trigger("lost");
  queue.release(lost, much_later());
  push_frame(queue, 4);
  for (std::uint64_t cnt0 = 1; cnt0 <= 4; ++cnt0) {
    check_next_frame(queue, cnt0, 0, lost.get());
  }
  CHECK(queue.wait() == FrameQueue::State::none_yet);
  const auto other = make_trigger("SIGUSR1");
  queue.release(other, right_now());
  push_frame(queue, 5);
  CHECK(queue.wait() == FrameQueue::State::all_written);
  queue.release(other, right_now());
  check_next_frame(queue, 5, 0, other.get());
  CHECK(queue.wait() == FrameQueue::State::all_written);
}

TEST_CASE("what was held for one trigger and for the next is told apart") {
  FrameQueue queue(bytes_of_frame, holding(32));
  const auto first = make_trigger("first");
  const auto second = make_trigger("second");
  push_frame(queue, 1);
  queue.release(first, right_now());
  push_frame(queue, 2);
  queue.release(second, right_now());
  check_next_frame(queue, 1, 0, first.get());
  check_next_frame(queue, 2, 0, second.get());
}

TEST_CASE("the oldest frames that are held give way, and are not lacking") {
  FrameQueue queue(bytes_of_frame, holding(16));
  push_frame(queue, 1, 5);
  push_all(queue, 2, 100);
  CHECK_FALSE(queue.shortfall());  // no time was asked for
  queue.release(make_trigger("lost"), right_now());
  queue.end();
  std::uint64_t seen = 100 - 14;  // an eighth of the memory is left
  while (queue.wait() == FrameQueue::State::frame) {
    CHECK(queue.front().taken.info.cnt0 == ++seen);
    CHECK(queue.front().taken.missed == 0);
    queue.pop();
  }
  CHECK(seen == 100);
  CHECK(queue.take_overrun().empty());
}

TEST_CASE("what is held unreleased at the end stays unwritten") {
  FrameQueue queue(bytes_of_frame, holding(16));
  push_all(queue, 1, 3);
  queue.end();
  CHECK(queue.wait() == FrameQueue::State::ended);
}

TEST_CASE("frames are held for a time, and it is known where memory is too small for it") {
  using std::chrono::milliseconds;
  SUBCASE("long enough") {
    FrameQueue queue(bytes_of_frame, holding(1000, milliseconds{1}));
    push_frame(queue, 1);
    std::this_thread::sleep_for(milliseconds{5});
    push_frame(queue, 2);
    queue.release(make_trigger("lost"), right_now());
    REQUIRE(queue.wait() == FrameQueue::State::frame);
    CHECK(queue.front().taken.info.cnt0 == 2);
    queue.pop();
    CHECK_FALSE(queue.shortfall());
  }
  SUBCASE("too small") {
    FrameQueue queue(bytes_of_frame, holding(16, std::chrono::hours{1}));
    push_all(queue, 1, 14);
    CHECK_FALSE(queue.shortfall());
    push_frame(queue, 15);
    REQUIRE(queue.shortfall());
    CHECK(*queue.shortfall() < std::chrono::hours{1});
  }
}

TEST_CASE("of a slow disk what is held gives way before what was released") {
  FrameQueue queue(bytes_of_frame, holding(16));
  const auto trigger = make_trigger("lost");
  push_all(queue, 1, 10);
  queue.release(trigger, right_now());
  REQUIRE(queue.wait() == FrameQueue::State::frame);
  push_all(queue, 11, 50);
  CHECK(queue.take_overrun().empty());
  queue.pop();
  for (std::uint64_t cnt0 = 2; cnt0 <= 10; ++cnt0) {
    check_next_frame(queue, cnt0, 0, trigger.get());
  }
  CHECK(queue.wait() == FrameQueue::State::all_written);
}

TEST_CASE("of what was released the oldest gives way too, and is lacking where it was") {
  FrameQueue queue(bytes_of_frame, holding(16));
  const auto trigger = make_trigger("lost");
  push_all(queue, 1, 10);
  queue.release(trigger, much_later());
  check_next_frame(queue, 1, 0, trigger.get());
  push_all(queue, 11, 20);
  CHECK(queue.take_overrun().size() == 3);
  check_next_frame(queue, 5, 3, trigger.get());
}

TEST_CASE("frames are taken, released and written by three threads") {
  constexpr std::uint64_t last = 20000;
  FrameQueue queue(bytes_of_frame, holding(64));
  std::atomic<bool> is_over = false;
  std::thread taking([&] {
    for (std::uint64_t cnt0 = 1; cnt0 <= last; ++cnt0) {
      push_frame(queue, cnt0);
    }
    queue.release(make_trigger("last"), right_now());
    queue.end();
  });
  std::thread releasing([&] {
    while (!is_over) {
      queue.release(make_trigger("one of many"), right_now() + std::chrono::microseconds{20});
      CHECK(queue.fill() <= 1);
      std::this_thread::yield();
    }
  });
  std::uint64_t seen = 0;
  for (FrameQueue::State state{}; (state = queue.wait()) != FrameQueue::State::ended;) {
    if (state == FrameQueue::State::frame) {
      CHECK(queue.front().taken.info.cnt0 > seen);
      CHECK(queue.front().trigger != nullptr);
      seen = queue.front().taken.info.cnt0;
      CHECK(queue.front().pixels[0] == static_cast<std::byte>(seen));
      queue.pop();
    }
  }
  is_over = true;
  taking.join();
  releasing.join();
  CHECK(seen == last);
}

TEST_CASE("a stream is recorded by two threads, neither of which waits for the other") {
  const Directory directory;
  Format format = Directory::small_format();
  constexpr std::uint32_t frames = 100;
  format.circular_buffer = 2 * frames;
  const Stream stream = directory.make("cam", format);
  const std::uint64_t bytes = format.bytes();
  FrameQueue queue(bytes, room_for(std::size_t{2} * frames));
  Follower follower(stream);
  std::thread taking([&] {
    for (std::uint32_t taken = 0; taken < frames; ++taken) {
      QueuedFrame& frame = queue.begin();
      const auto copy = [&frame](std::span<const std::byte> pixels) {
        std::ranges::copy(pixels, frame.pixels.begin());
      };
      if (follower.next(FrameOrder::every, deadline_after(std::chrono::seconds{30}), copy,
                        frame.taken) != Arrival::arrived) {
        break;
      }
      frame.keywords =
          std::make_shared<const std::vector<Keyword>>(follower.stream().keywords().all());
      queue.push();
    }
    queue.end();
  });
  for (std::uint16_t number = 1; number <= frames; ++number) {
    publish(stream, number);
  }
  RecordedStream recorded;
  recorded.name = stream.name();
  recorded.type = format.type;
  recorded.shape = format.shape;
  recorded.trigger = RecordedTrigger{"lost", "cam", TaiClock::now()};
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, recorded);
  for (FrameQueue::State state{}; (state = queue.wait()) != FrameQueue::State::ended;) {
    if (state == FrameQueue::State::frame) {
      const QueuedFrame& frame = queue.front();
      writer.write(frame.taken.info, frame.taken.missed, *frame.keywords, frame.pixels);
      queue.pop();
    }
  }
  taking.join();
  writer.finish();
  const Recording recording(file);
  REQUIRE(recording.frames() == frames);
  std::vector<std::byte> pixels(bytes);
  for (std::uint32_t i = 0; i < frames; ++i) {
    CHECK(recording.frame(i).info.cnt0 == i + 1);
    recording.read(i, pixels);
    CHECK(pixels == frame_of(stream, static_cast<std::uint16_t>(i + 1)));
  }
  // What had it written is no keyword of the stream.
  CHECK(recording.stream().keywords.empty());
}

}  // namespace shmim::test
