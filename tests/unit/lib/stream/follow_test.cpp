#include <csignal>
#include <thread>

#include "parts/circular_buffer_writer.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Deadline long_enough() { return deadline_after(std::chrono::seconds{30}); }
Deadline soon() { return deadline_after(std::chrono::milliseconds{5}); }

Stream recreate_as(const Directory& directory, const Format& format) {
  Stream stream = Stream::draft(directory.path(), "im1", format);
  stream.publish_over();
  return stream;
}

}  // namespace

TEST_CASE("a follower sees each frame once, and no stale posts") {
  const Directory directory;
  Stream stream = directory.make("im1");
  for (int i = 0; i < 5; ++i) {
    publish(stream, std::uint16_t{1});
  }
  Follower follower(stream.duplicate());
  CHECK(follower.semaphore() == 0U);
  CHECK(follower.wait(soon()) == Arrival::timed_out);
  publish(stream, std::uint16_t{2});
  CHECK(follower.wait(long_enough()) == Arrival::arrived);
  CHECK(follower.seen() == 6);
  stream.semaphores().post(SemaphoreSet::all());  // no frame
  CHECK(follower.wait(soon()) == Arrival::timed_out);
}

TEST_CASE("a follower that may not write watches cnt0") {
  const Directory directory;
  Stream stream = directory.make("im1");
  const auto before = bytes_of(directory.stream("im1"));
  Follower follower(Stream::open(directory.stream("im1"), Access::read));
  CHECK_FALSE(follower.semaphore());
  CHECK(follower.wait(soon()) == Arrival::timed_out);
  CHECK(bytes_of(directory.stream("im1")) == before);
  publish(stream, std::uint16_t{1});
  CHECK(follower.wait(long_enough()) == Arrival::arrived);
  CHECK(error_of([&] { static_cast<void>(follower.wait_post(soon())); }).problem() ==
        Problem::not_ours_to_write);
}

TEST_CASE("posts of one semaphore count as they come") {
  const Directory directory;
  Stream stream = directory.make("im1");
  stream.semaphores().post(SemaphoreSet::only({4}));
  stream.semaphores().post(SemaphoreSet::only({4}));
  FollowOptions options;
  options.semaphore = 4;
  Follower follower(stream.duplicate(), options);
  CHECK(follower.wait_post(long_enough()) == Arrival::arrived);
  follower.flush();
  CHECK(follower.wait_post(soon()) == Arrival::timed_out);
}

TEST_CASE("a writer that posts first and counts after is not missed") {
  const Directory directory;
  Stream stream = directory.make("im1");
  Follower follower(stream.duplicate());
  std::thread writer([&] {
    Stream mine = Stream::open(directory.stream("im1"));
    mine.semaphores().post(SemaphoreSet::all());
    std::this_thread::sleep_for(std::chrono::milliseconds{3});
    auto bytes = mine.unguarded_writable_pixels();
    layout::count_frame(
        *reinterpret_cast<layout::Metadata*>(bytes.data() - sizeof(layout::Metadata)));
  });
  CHECK(follower.wait(long_enough()) == Arrival::arrived);
  writer.join();
}

TEST_CASE("removal and replacement are told apart, and the same format is followed on") {
  const Directory directory;
  Stream stream = directory.make("im1");
  Follower follower(stream.duplicate());
  SUBCASE("removed") {
    CHECK(remove_stream(directory.stream("im1"), stream.identity()));
    CHECK(follower.wait(long_enough()) == Arrival::removed);
  }
  SUBCASE("by a program that wakes nobody") {
    std::filesystem::remove(directory.stream("im1"));
    CHECK(follower.wait(long_enough()) == Arrival::removed);
  }
  SUBCASE("another format") {
    Format format = stream.format();
    format.type = DataType::float32;
    recreate_as(directory, format);
    CHECK(follower.wait(long_enough()) == Arrival::recreated);
    CHECK(follower.difference() == "type is float32, not uint16");
  }
  SUBCASE("the same format") {
    Stream successor = recreate_as(directory, stream.format());
    publish(successor, std::uint16_t{9});
    CHECK(follower.wait(long_enough()) == Arrival::arrived);
    CHECK(follower.recreations() == 1);
    CHECK(follower.seen() == 1);
    CHECK(follower.stream().identity() == successor.identity());
  }
  SUBCASE("while waiting for posts") {
    CHECK(remove_stream(directory.stream("im1"), stream.identity()));
    CHECK(follower.wait_post(long_enough()) == Arrival::removed);
  }
}

TEST_CASE("cancelled waits end") {
  const Directory directory;
  FollowOptions options;
  options.cancelled = [] { return true; };
  Follower follower(directory.make("im1"), options);
  CHECK(follower.wait(long_enough()) == Arrival::interrupted);
  CHECK(follower.wait_post(long_enough()) == Arrival::interrupted);
}

TEST_CASE("frames come in order from the circular buffer, or the newest where that is asked") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 6;
  Stream stream = directory.make("im1", format);
  Follower follower(stream.duplicate());
  for (std::uint16_t i = 1; i <= 10; ++i) {
    publish(stream, i);
  }
  std::uint16_t value = 0;
  const CopyFrame copy = [&](auto frame) { std::memcpy(&value, frame.data(), sizeof(value)); };
  TakenFrame taken;
  std::uint64_t missed = 0;
  SUBCASE("every") {
    // Six slots, of which the next to be written is out of bounds: frames 6 to 10.
    for (std::uint16_t wanted = 6; wanted <= 10; ++wanted) {
      CHECK(follower.next(FrameOrder::every, long_enough(), copy, taken) == Arrival::arrived);
      missed += taken.missed;
      CHECK(value == wanted);
      CHECK(taken.info.cnt0 == wanted);
      CHECK(taken.info.writetime > never);
    }
    CHECK(missed == 5);
  }
  SUBCASE("latest") {
    CHECK(follower.next(FrameOrder::latest, long_enough(), copy, taken) == Arrival::arrived);
    CHECK(value == 10);
    CHECK(taken.missed == 9);
  }
  CHECK(follower.next(FrameOrder::every, soon(), copy, taken) == Arrival::timed_out);
}

TEST_CASE("a claim is given back when the follower goes") {
  const Directory directory;
  Stream stream = directory.make("im1");
  { const Follower follower(stream.duplicate()); }
  CHECK(stream.semaphores().reader(0) == 0);
}

TEST_CASE("an ordered follower loses nothing beside a writer that leaves it time" *
          doctest::test_suite("threads")) {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 64;
  Stream stream = directory.make("im1", format);
  Follower follower(stream.duplicate());
  constexpr std::uint16_t frames = 500;
  std::thread writer([&] {
    Stream mine = Stream::open(directory.stream("im1"));
    for (std::uint16_t i = 1; i <= frames; ++i) {
      publish(mine, i);
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  });
  std::uint64_t missed = 0;
  std::uint16_t last = 0;
  while (last < frames) {
    std::uint16_t value = 0;
    TakenFrame taken;
    const CopyFrame copy = [&](auto frame) { std::memcpy(&value, frame.data(), sizeof(value)); };
    const Arrival arrival = follower.next(FrameOrder::every, long_enough(), copy, taken);
    missed += taken.missed;
    if (arrival != Arrival::arrived || taken.info.cnt0 != value || value <= last) {
      break;
    }
    last = value;
  }
  writer.join();
  CHECK(last == frames);
  MESSAGE("missed ", missed, " of ", frames, " frames");
}

namespace {

/// The writer's half of a stream's circular buffer, which are the last two regions of its file.
CircularBufferWriter buffer_of(Stream& stream) {
  std::byte* begin = stream.unguarded_writable_pixels().data() - sizeof(layout::Metadata);
  const std::size_t slots = stream.format().circular_buffer;
  const std::size_t bytes = stream.format().bytes();
  std::byte* frames = begin + stream.file_bytes() - slots * bytes;
  auto* labels = reinterpret_cast<layout::CircularBufferSlot*>(frames) - slots;
  return {
      *reinterpret_cast<layout::Metadata*>(begin), {labels, slots}, {frames, slots * bytes}, bytes};
}

/// What a writer leaves that is killed between filling the slot of its frame and counting it.
void die_uncounted(Stream& stream, std::uint16_t value) {
  const auto frame = frame_of(stream, value);
  REQUIRE(reap(in_child([&] {
            WriteGuard guard(stream);
            buffer_of(stream).push(frame, {stream.cnt0() + 1, 0, TaiClock::now(), TaiClock::now()});
            ::_exit(7);
          })) == 7);
}

/// The frame that comes next, by its number and by its first pixel; nothing where none came.
std::optional<std::pair<std::uint64_t, int>> next_frame(Follower& follower, FrameOrder pick) {
  std::uint16_t pixel = 0;
  TakenFrame taken;
  const CopyFrame copy = [&](std::span<const std::byte> frame) {
    std::memcpy(&pixel, frame.data(), sizeof pixel);
  };
  if (follower.next(pick, soon(), copy, taken) != Arrival::arrived) {
    return std::nullopt;
  }
  return std::pair{taken.info.cnt0, int{pixel}};
}

}  // namespace

TEST_CASE("a frame whose writer died before it counted it is taken once, and keeps its number") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream stream = directory.make("im1", format);
  publish(stream, std::uint16_t{1});
  publish(stream, std::uint16_t{2});
  Follower follower(stream.duplicate());
  Follower lagging(stream.duplicate());
  lagging.set_seen(1);
  publish(stream, std::uint16_t{3});
  die_uncounted(stream, 99);
  using Frame = std::pair<std::uint64_t, int>;
  SUBCASE("in order") {
    CHECK(next_frame(follower, FrameOrder::every) == Frame{3, 3});
    CHECK_FALSE(next_frame(follower, FrameOrder::every));
    CHECK(publish(stream, std::uint16_t{5}) == 5);
    CHECK(next_frame(follower, FrameOrder::every) == Frame{4, 99});
    CHECK(next_frame(follower, FrameOrder::every) == Frame{5, 5});
    CHECK_FALSE(next_frame(follower, FrameOrder::every));
  }
  SUBCASE("the newest") {
    CHECK(next_frame(follower, FrameOrder::latest) == Frame{4, 99});
    CHECK_FALSE(next_frame(follower, FrameOrder::latest));
    CHECK(publish(stream, std::uint16_t{5}) == 5);
    CHECK(next_frame(follower, FrameOrder::latest) == Frame{5, 5});
    CHECK_FALSE(next_frame(follower, FrameOrder::latest));
  }
  SUBCASE("from further behind") {
    CHECK(publish(stream, std::uint16_t{5}) == 5);
    for (const Frame& frame : {Frame{2, 2}, Frame{3, 3}, Frame{4, 99}, Frame{5, 5}}) {
      CHECK(next_frame(lagging, FrameOrder::every) == frame);
    }
  }
}

TEST_CASE("a wait is cancelled while frames come too") {
  const Directory directory;
  Stream stream = directory.make("im1");
  FollowOptions options;
  bool is_cancelled = false;
  options.cancelled = [&] { return is_cancelled; };
  Follower follower(stream.duplicate(), options);
  publish(stream, std::uint16_t{1});
  CHECK(follower.wait(soon()) == Arrival::arrived);
  publish(stream, std::uint16_t{2});
  is_cancelled = true;
  CHECK(follower.wait(soon()) == Arrival::interrupted);
}

namespace {

/// Publishes a frame of `out` that frame `trigger` caused.
void publish_for(Stream& out, const Trigger& trigger) {
  WriteGuard guard(out);
  guard.set_trigger(trigger);
  guard.publish();
}

TakenFrame take(Follower& follower, FrameOrder order = FrameOrder::every) {
  TakenFrame taken;
  const CopyFrame copy = [](std::span<const std::byte>) {};
  REQUIRE(follower.next(order, long_enough(), copy, taken) == Arrival::arrived);
  return taken;
}

}  // namespace

TEST_CASE("a frame carries its identity, and the steps that led to it") {
  const Directory directory;
  const Stream camera = directory.make("camera");
  Stream in = directory.make("in");
  Stream out = directory.make("out");
  Follower follower(in);
  publish(camera, std::uint16_t{1});
  publish_for(in, camera.trigger(TriggerMode::cnt0));
  const TakenFrame taken = take(follower);
  CHECK(taken.info.cnt0 == 1);
  CHECK(taken.info.writetime == in.written());
  CHECK(taken.missed == 0);
  CHECK(taken.semaphore == follower.semaphore());
  CHECK(taken.taken >= taken.info.writetime);
  REQUIRE(taken.trace.size() == 2);
  CHECK(taken.trace[0].trigger_inode == camera.identity().inode);

  publish(in, std::uint16_t{2});  // no matter what came since
  const Trigger trigger = taken.trigger();
  publish_for(out, trigger);
  const auto steps = out.trace().entries();
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].trigger_inode == in.identity().inode);
  CHECK(steps[0].cnt0 == 1);
  CHECK(steps[0].mode == TriggerMode::semaphore);
  CHECK(steps[0].semaphore == 0);
  CHECK(steps[0].triggered == taken.taken);
  CHECK(steps[1].written == taken.info.writetime);
  CHECK(latency_of(steps, 0) == elapsed(taken.info.writetime, *steps[0].written));
}

TEST_CASE("frames of a backlog know their own count and time, and no trace but their own") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream in = directory.make("in", format);
  const Stream camera = directory.make("camera");
  Follower follower(in);
  std::vector<Tai> written;
  for (std::uint16_t i = 1; i <= 4; ++i) {
    publish(camera, i);
    publish_for(in, camera.trigger(TriggerMode::cnt0));
    written.push_back(in.written());
  }
  for (std::uint64_t wanted = 1; wanted <= 4; ++wanted) {
    const TakenFrame taken = take(follower);
    CHECK(taken.info.cnt0 == wanted);
    CHECK(taken.info.writetime == written[wanted - 1]);
    CHECK(taken.trigger().entry.cnt0 == wanted);
    if (wanted < 4) {
      CHECK(taken.trace.empty());  // the stream's is that of frame 4
    } else {
      REQUIRE(taken.trace.size() == 2);
      CHECK(taken.trace[0].cnt0 == 4);
    }
  }
}

TEST_CASE("a trace is not taken for that of a frame whose writer recorded none") {
  const Directory directory;
  Stream in = directory.make("in");
  publish(in, std::uint16_t{1});
  Follower follower(in);
  auto* header = reinterpret_cast<layout::Metadata*>(in.unguarded_writable_pixels().data()) - 1;
  layout::store(header->writetime, to_timespec(in.written() + std::chrono::seconds{100}));
  static_cast<void>(layout::count_frame(*header));
  CHECK(take(follower).trace.empty());
}
