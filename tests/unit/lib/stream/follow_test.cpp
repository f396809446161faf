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
  CHECK(follower.semaphore() == 9U);
  CHECK(follower.wait(soon()) == Arrival::timed_out);
  publish(stream, std::uint16_t{2});
  CHECK(follower.wait(long_enough()) == Arrival::arrived);
  CHECK(follower.seen() == 6);
  stream.semaphores().post(SemaphoreSet::all());  // no frame
  CHECK(follower.wait(soon()) == Arrival::timed_out);
}

TEST_CASE("a follower tells which frame it has waited for") {
  const Directory directory;
  Stream stream = directory.make("im1");
  Follower follower(stream.duplicate());
  TakenFrame frame;
  CHECK(follower.wait(soon(), frame) == Arrival::timed_out);
  CHECK(frame.info.cnt0 == 0);
  publish(stream, std::uint16_t{1});
  publish(stream, std::uint16_t{2});
  CHECK(follower.wait(long_enough(), frame) == Arrival::arrived);
  CHECK(frame.info.cnt0 == 2);
  CHECK(frame.info.writetime == stream.written());
  CHECK(frame.info.atime == stream.acquired());
  CHECK(frame.missed == 1);
  CHECK(frame.semaphore == 9U);
  REQUIRE(frame.trace.size() == 1);
  CHECK(frame.trace.front().pid == ::getpid());
  // Of a frame that is being written nothing is told: it is not counted yet.
  const Tai written = frame.info.writetime;
  publish(stream, std::uint16_t{3});
  WriteGuard guard(stream);
  CHECK(guard.pixels().size() == stream.format().bytes());
  CHECK(follower.wait(long_enough(), frame) == Arrival::arrived);
  CHECK(frame.info.cnt0 == 3);
  CHECK(frame.info.writetime > written);
  CHECK(frame.trace.empty());
}

TEST_CASE("however short the waits of a follower are, it looks at the name between them") {
  const Directory directory;
  Follower follower(directory.make("im1"));
  std::filesystem::remove(directory.stream("im1"));  // nobody is woken
  Arrival arrival = Arrival::timed_out;
  const Deadline last = long_enough();
  while (arrival == Arrival::timed_out && std::chrono::steady_clock::now() < *last) {
    arrival = follower.wait(soon());
  }
  CHECK(arrival == Arrival::removed);
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
  {
    const Follower follower(stream.duplicate());
    CHECK(stream.semaphores().reader(9) == ::getpid());
    CHECK(follower.describe_waiting() == "waits on semaphore 9");
  }
  CHECK(stream.semaphores().reader(9) == 0);
}

TEST_CASE("no follower is refused: where no semaphore is to be had, it watches cnt0") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 1;
  Stream stream = directory.make("im1", format);
  FollowOptions passive;
  passive.passive = true;
  Follower watching(stream.duplicate(), passive);
  CHECK(watching.describe_waiting() == "watches cnt0, as asked");
  CHECK(stream.semaphores().reader(0) <= 0);
  const Follower first(stream.duplicate());
  Follower second(stream.duplicate());
  CHECK_FALSE(second.semaphore());
  CHECK(second.describe_waiting() == "watches cnt0: its one semaphore is claimed");
  CHECK(says(error_of([&] { static_cast<void>(second.wait_post(soon())); }),
             "there is no semaphore to wait on: this follower watches cnt0"));
  FollowOptions insisting;
  insisting.semaphore = 0;
  CHECK(says(error_of([&] { const Follower third(stream.duplicate(), insisting); }),
             "semaphore 0 is claimed by process"));
  publish(stream, std::uint16_t{1});
  CHECK(second.wait(long_enough()) == Arrival::arrived);
  CHECK(watching.wait(long_enough()) == Arrival::arrived);
  format.semaphores = 0;
  CHECK(Follower(directory.make("none", format)).describe_waiting() ==
        "watches cnt0: the stream has no semaphores");
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
void die_uncounted(Stream& stream, std::uint16_t value, std::uint64_t lost = 0) {
  const auto frame = frame_of(stream, value);
  REQUIRE(reap(in_child([&] {
            WriteGuard guard(stream);
            const CircularBufferWriter buffer = buffer_of(stream);
            std::ranges::copy(frame, buffer.begin_frame().begin());
            const std::uint64_t number = stream.cnt0() + lost + 1;
            buffer.push({number, 0, TaiClock::now(), TaiClock::now()});
            buffer.number(number);
            ::_exit(7);
          })) == 7);
}

/// A frame as pyMilk writes it: no time of writing, no circular buffer, the flag down before the
/// count.
void write_as_pymilk(Stream& stream, std::uint16_t value) {
  std::byte* begin = stream.unguarded_writable_pixels().data() - sizeof(layout::Metadata);
  auto& header = *reinterpret_cast<layout::Metadata*>(begin);
  layout::store(header.write, std::uint8_t{1});
  std::ranges::copy(frame_of(stream, value), stream.unguarded_writable_pixels().begin());
  layout::store(header.lastaccesstime, to_timespec(TaiClock::now()));
  layout::end_writing(header);
  layout::count_frame(header);
}

/// A frame as UpdateIm of the C library publishes it, which numbers no slot.
void write_as_c_library(Stream& stream, std::uint16_t value) {
  std::byte* begin = stream.unguarded_writable_pixels().data() - sizeof(layout::Metadata);
  auto& header = *reinterpret_cast<layout::Metadata*>(begin);
  layout::store(header.write, std::uint8_t{1});
  const auto frame = frame_of(stream, value);
  std::ranges::copy(frame, stream.unguarded_writable_pixels().begin());
  const std::size_t slots = stream.format().circular_buffer;
  const std::uint32_t next = (header.cb_index + 1) % static_cast<std::uint32_t>(slots);
  std::byte* frames = begin + stream.file_bytes() - slots * frame.size();
  std::ranges::copy(frame, frames + next * frame.size());
  header.cb_cycle += next == 0 ? 1 : 0;
  layout::set_buffer_index(header, next);
  layout::count_frame(header);
  layout::end_writing(header);
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

TEST_CASE("a frame whose writer died before it counted it is no frame") {
  using Frame = std::pair<std::uint64_t, int>;
  for (const FrameOrder order : {FrameOrder::every, FrameOrder::latest}) {
    const Directory directory;
    Format format = Directory::small_format();
    format.circular_buffer = 8;
    Stream stream = directory.make("im1", format);
    publish(stream, std::uint16_t{1});
    publish(stream, std::uint16_t{2});
    Follower follower(stream.duplicate());
    publish(stream, std::uint16_t{3});
    die_uncounted(stream, 99);
    CHECK(next_frame(follower, order) == Frame{3, 3});
    CHECK_FALSE(next_frame(follower, order));
    CHECK(publish(stream, std::uint16_t{5}) == 4);
    CHECK(next_frame(follower, order) == Frame{4, 5});
    CHECK(publish(stream, std::uint16_t{6}) == 5);
    CHECK(next_frame(follower, order) == Frame{5, 6});
    die_uncounted(stream, 99);
    write_as_pymilk(stream, 7);
    CHECK(publish(stream, std::uint16_t{8}) == 7);
    CHECK(next_frame(follower, FrameOrder::latest) == Frame{7, 8});
    CHECK_FALSE(next_frame(follower, order));
  }
}

TEST_CASE("frames that are lost are missed, and those around them are where they were") {
  using Frame = std::pair<std::uint64_t, int>;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Format planes = Directory::small_format();
  planes.shape = Shape{4, 3, 8};
  planes.image_type = layout::image_circular | layout::image_z_time;
  for (const Format& of : {format, planes}) {
    const Directory directory;
    Publisher publisher(directory.make("im1", of));
    const Stream& stream = publisher.stream();
    const auto publish_value = [&](std::uint16_t value) {
      std::vector<std::byte> frame(publisher.frame_shape().elements() * sizeof value);
      std::memcpy(frame.data(), &value, sizeof value);
      return publisher.publish(frame);
    };
    Follower follower(stream.duplicate());
    publish_value(1);
    publish_value(2);
    publisher.set_lost(2);
    CHECK(publish_value(3) == 5);
    publish_value(4);
    for (const Frame& wanted : {Frame{1, 1}, Frame{2, 2}, Frame{5, 3}, Frame{6, 4}}) {
      CHECK(next_frame(follower, FrameOrder::every) == wanted);
    }
    CHECK_FALSE(next_frame(follower, FrameOrder::every));
    publisher.set_lost(100);
    publish_value(5);
    CHECK(next_frame(follower, FrameOrder::every) == Frame{107, 5});
  }
}

TEST_CASE("the frame of a writer that died over lost ones does not come up when its number does") {
  using Frame = std::pair<std::uint64_t, int>;
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream stream = directory.make("im1", format);
  publish(stream, std::uint16_t{1});
  Follower follower(stream.duplicate());
  die_uncounted(stream, 99, 2);
  publish(stream, std::uint16_t{2});
  CHECK(next_frame(follower, FrameOrder::every) == Frame{2, 2});
  write_as_pymilk(stream, 3);
  write_as_pymilk(stream, 4);
  CHECK(next_frame(follower, FrameOrder::every) == Frame{4, 4});
}

TEST_CASE("a slice whose writer died before it counted the frame has no number") {
  const Directory directory;
  Format format = Directory::small_format();
  format.shape = Shape{4, 3, 5};
  format.image_type = layout::image_circular | layout::image_z_time;
  Stream stream = directory.make("im1", format);
  const auto regions = *layout::lay_out(geometry_of(format));
  const auto numbers_at = [&](std::size_t plane) -> std::uint64_t& {
    std::byte* begin = stream.unguarded_writable_pixels().data() - sizeof(layout::Metadata);
    return reinterpret_cast<std::uint64_t*>(begin + regions.slice_cnt)[plane];
  };
  REQUIRE(reap(in_child([&] {
            WriteGuard guard(stream);
            static_cast<void>(guard.plane(0));
            numbers_at(0) = 4;
            ::_exit(7);
          })) == 7);
  WriteGuard(stream).cancel();
  CHECK(numbers_at(0) == 0);
}

TEST_CASE("frames that did not go through the circular buffer are taken from the array") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 4;
  Stream stream = directory.make("im1", format);
  using Frame = std::pair<std::uint64_t, int>;
  const auto follow_one = [](Follower& follower, std::uint64_t cnt0, int value) {
    CHECK(next_frame(follower, FrameOrder::every) == Frame{cnt0, value});
  };
  SUBCASE("after ours, by pyMilk") {
    Follower follower(stream.duplicate());
    std::uint16_t value = 0;
    for (; value < 6; ++value) {
      publish(stream, value);
      follow_one(follower, value + 1U, value);
    }
    for (; value < 16; ++value) {
      write_as_pymilk(stream, value);
      follow_one(follower, value + 1U, value);
    }
    publish(stream, value);
    follow_one(follower, value + 1U, value);
  }
  SUBCASE("after the C library's, by pyMilk") {
    Follower follower(stream.duplicate());
    std::uint16_t value = 0;
    for (; value < 6; ++value) {
      write_as_c_library(stream, value);
      follow_one(follower, value + 1U, value);
    }
    for (; value < 16; ++value) {
      write_as_pymilk(stream, value);
      follow_one(follower, value + 1U, value);
      write_as_c_library(stream, ++value);
      follow_one(follower, value + 1U, value);
    }
  }
  SUBCASE("what waits in the buffer goes before the newest, which is in the array alone") {
    publish(stream, std::uint16_t{1});
    Follower follower(stream.duplicate());
    write_as_pymilk(stream, 2);
    publish(stream, std::uint16_t{3});
    write_as_pymilk(stream, 4);
    TakenFrame taken;
    const CopyFrame nothing = [](std::span<const std::byte>) {};
    REQUIRE(follower.next(FrameOrder::every, soon(), nothing, taken) == Arrival::arrived);
    CHECK(taken.info.cnt0 == 3);
    CHECK(taken.missed == 1);
    follow_one(follower, 4, 4);
  }
  SUBCASE("the C library's stay in order where ours lie between") {
    Follower follower(stream.duplicate());
    for (std::uint16_t value = 0; value < 30; value += 3) {
      publish(stream, value);
      write_as_c_library(stream, static_cast<std::uint16_t>(value + 1));
      for (int i = 0; i < 2; ++i) {
        const auto number = value + static_cast<unsigned>(i);
        follow_one(follower, number + 1, static_cast<int>(number));
      }
      write_as_c_library(stream, static_cast<std::uint16_t>(value + 2));
      follow_one(follower, value + 3U, value + 2);
    }
  }
}

TEST_CASE("a frame that its writer left unfinished is mended with no other than the one counted") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 4;
  Stream stream = directory.make("im1", format);
  publish(stream, std::uint16_t{1});
  const auto die_in_mid_frame = [&] {
    REQUIRE(reap(in_child([&] {
              WriteGuard guard(stream);
              guard.pixels()[0] = std::byte{99};
              ::_exit(7);
            })) == 7);
  };
  SUBCASE("which is in the buffer") {
    die_in_mid_frame();
    WriteGuard guard(stream);
    CHECK_FALSE(guard.needs_whole_frame());
    CHECK(std::ranges::equal(guard.pixels(), frame_of(stream, std::uint16_t{1})));
  }
  SUBCASE("which is not") {
    write_as_pymilk(stream, 2);
    die_in_mid_frame();
    WriteGuard guard(stream);
    CHECK(guard.needs_whole_frame());
    guard.cancel();
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
  CHECK(steps[0].semaphore == 9);
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
