#include <cmath>
#include <csignal>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

constexpr Tai start{std::chrono::seconds{1'000'000'000}};

std::vector<FrameTime> regular(std::uint64_t first, int count, std::chrono::nanoseconds interval) {
  std::vector<FrameTime> frames;
  frames.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    frames.push_back({first + static_cast<std::uint64_t>(i), start + i * interval});
  }
  return frames;
}

template <class Alter>
void alter_header(Stream& stream, Alter alter) {
  std::byte* header = stream.unguarded_writable_pixels().data() - sizeof(layout::Metadata);
  layout::Metadata content{};
  std::memcpy(&content, header, sizeof content);
  alter(content);
  std::memcpy(header, &content, sizeof content);
}

void publish_at(Stream& stream, Tai time) {
  // The write time is the writer's to choose: set as a program of the C library would.
  publish<std::uint16_t>(stream, 1);
  alter_header(stream, [&](layout::Metadata& header) { header.writetime = to_timespec(time); });
}

/// Its writer has stamped the next frame, and not yet counted it.
void begin_frame_at(Stream& stream, Tai time) {
  alter_header(stream, [&](layout::Metadata& header) {
    header.write = 1;
    header.writetime = to_timespec(time);
  });
}

void clear_write_flag(Stream& stream) {
  alter_header(stream, [](layout::Metadata& header) { header.write = 0; });
}

}  // namespace

TEST_CASE("the rate of a regular writer") {
  using namespace std::chrono_literals;
  const Rate rate = rate_of(regular(10, 101, 2ms));
  CHECK(rate.frames == 100);
  CHECK(rate.missed == 0);
  CHECK(*rate.hertz == doctest::Approx(500));
  CHECK(rate.mean->count() == doctest::Approx(0.002));
  CHECK(rate.min->count() == doctest::Approx(0.002));
  CHECK(rate.max->count() == doctest::Approx(0.002));
  CHECK(rate.stddev->count() < 1e-9);
  CHECK(rate.jitter->count() < 1e-9);
}

TEST_CASE("one late frame shows in max, standard deviation and jitter, and not in the mean") {
  using namespace std::chrono_literals;
  auto frames = regular(1, 21, 10ms);
  frames[10].written += 4ms;
  const Rate rate = rate_of(frames);
  CHECK(*rate.hertz == doctest::Approx(100));
  CHECK(rate.min->count() == doctest::Approx(0.006));
  CHECK(rate.max->count() == doctest::Approx(0.014));
  // Deviations of 20 intervals: 4 and -4, the others 0.
  CHECK(rate.stddev->count() == doctest::Approx(std::sqrt(32.0 / 20) * 1e-3));
  // From a line through the times: 4 ms at the middle, less its mean 4/21: the slope is unmoved.
  const double mean = 4.0 / 21;
  const double squares = (4 - mean) * (4 - mean) + 20 * mean * mean;
  CHECK(rate.jitter->count() == doctest::Approx(std::sqrt(squares / 21) * 1e-3));
  CHECK_FALSE(rate_of(regular(1, 19, 10ms)).jitter);
  CHECK(rate_of(regular(1, 20, 10ms)).jitter);
}

TEST_CASE("frames that were not seen count for the rate, and are said to be missed") {
  using namespace std::chrono_literals;
  const std::vector<FrameTime> frames{{1, start}, {11, start + 100ms}, {12, start + 110ms}};
  const Rate rate = rate_of(frames);
  CHECK(rate.frames == 11);
  CHECK(rate.missed == 9);
  CHECK(*rate.hertz == doctest::Approx(100));
  CHECK(rate.min->count() == doctest::Approx(0.01));
  const Rate sparse = rate_of(std::vector<FrameTime>{{1, start}, {11, start + 100ms}});
  CHECK(*sparse.hertz == doctest::Approx(100));
  CHECK_FALSE(sparse.min);
  CHECK_FALSE(sparse.jitter);
}

TEST_CASE("a frame or two without a time are passed over") {
  using namespace std::chrono_literals;
  auto frames = regular(1, 30, 10ms);
  SUBCASE("in the middle") { frames[9].written = frames[10].written = never; }
  SUBCASE("at the ends") { frames.front().written = frames.back().written = never; }
  SUBCASE("with the time of the frame before") { frames[10].written = frames[9].written; }
  const Rate rate = rate_of(frames);
  CHECK(rate.is_stamped);
  CHECK(rate.frames == 29);
  CHECK(rate.missed == 0);
  CHECK(*rate.hertz == doctest::Approx(100));
  CHECK(rate.min->count() == doctest::Approx(0.01));
  CHECK(rate.max->count() == doctest::Approx(0.01));
  CHECK(rate.jitter->count() < 1e-8);
}

TEST_CASE("where half of the frames have no time, our looks tell the rate") {
  using namespace std::chrono_literals;
  auto frames = regular(1, 4, 10ms);
  for (FrameTime& frame : frames) {
    frame.seen += frame.cnt0 * 20ms;
  }
  frames[1].written = frames[2].written = never;
  const Rate rate = rate_of(frames);
  CHECK_FALSE(rate.is_stamped);
  CHECK(*rate.hertz == doctest::Approx(50));
}

TEST_CASE("no rate without frames, and none where the write times do not move") {
  CHECK(*rate_of({}).hertz == 0);
  CHECK(*rate_of(regular(1, 1, std::chrono::nanoseconds{1})).hertz == 0);
  CHECK_FALSE(rate_of({}).mean);
  const Rate unstamped = rate_of(regular(1, 3, std::chrono::nanoseconds{0}));
  CHECK(unstamped.frames == 2);
  CHECK_FALSE(unstamped.hertz);
}

TEST_CASE("rates come from the write times in the stream") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("cam");
  FrameLog log;
  publish_at(stream, start);
  CHECK(log.look(stream));
  CHECK_FALSE(log.look(stream));
  publish_at(stream, start + 20ms);
  CHECK(log.look(stream));
  CHECK(*rate_of(log.frames()).hertz == doctest::Approx(50));
}

TEST_CASE("a circular buffer tells the times of frames between two looks") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream stream = directory.make("cam", format);
  publish<std::uint16_t>(stream, 1);
  FrameLog log;
  static_cast<void>(log.look(stream));
  for (int i = 0; i < 4; ++i) {
    publish<std::uint16_t>(stream, 2);
  }
  static_cast<void>(log.look(stream));
  CHECK(log.frames().size() == 5);
  CHECK(rate_of(log.frames()).missed == 0);
  for (int i = 0; i < 20; ++i) {
    publish<std::uint16_t>(stream, 3);
  }
  static_cast<void>(log.look(stream));
  CHECK(rate_of(log.frames()).missed > 0);
  CHECK(log.frames().back().cnt0 == 25);
}

TEST_CASE("a writer that is met between its stamp and its count has stamped all the same") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("cam");
  FrameLog log;
  for (int frame = 0; frame < 30; ++frame) {
    publish_at(stream, start + frame * 10ms);
    if (frame == 9) {
      begin_frame_at(stream, start + 100ms);
    }
    CHECK(log.look(stream));
    clear_write_flag(stream);
  }
  const Rate rate = rate_of(log.frames());
  CHECK(rate.is_stamped);
  CHECK(rate.frames == 29);
  CHECK(*rate.hertz == doctest::Approx(100));
  CHECK(rate.min->count() == doctest::Approx(0.01));
  CHECK(rate.max->count() == doctest::Approx(0.01));
}

TEST_CASE("a look at a frame that is known does not take the next one's time for its own") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("cam");
  FrameLog log;
  for (int frame = 0; frame < 5; ++frame) {
    publish_at(stream, start + frame * 10ms);
    CHECK(log.look(stream));
    begin_frame_at(stream, start + (frame + 1) * 10ms);
    CHECK_FALSE(log.look(stream));
    clear_write_flag(stream);
    CHECK(log.frames().back().written == start + frame * 10ms);
  }
  CHECK(*rate_of(log.frames()).hertz == doctest::Approx(100));
}

TEST_CASE("the time of a frame is that of its slot, whatever its writer stamps next") {
  using namespace std::chrono_literals;
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream stream = directory.make("cam", format);
  FrameLog log;
  for (const bool is_first : {true, false}) {
    CAPTURE(is_first);
    publish<std::uint16_t>(stream, 1);
    const Tai written = stream.written();
    begin_frame_at(stream, written + 1s);
    CHECK(log.look(stream));
    CHECK(log.frames().back().written == written);
    clear_write_flag(stream);
  }
}

TEST_CASE("a counter that goes back begins anew") {
  const Directory directory;
  Stream stream = directory.make("cam");
  for (int i = 0; i < 3; ++i) {
    publish<std::uint16_t>(stream, 1);
  }
  FrameLog log;
  log.look(stream);
  alter_header(stream, [](layout::Metadata& header) { header.cnt0 = 1; });
  CHECK(log.look(stream));
  REQUIRE(log.frames().size() == 1);
  CHECK(log.frames().front().cnt0 == 1);
}

TEST_CASE("of a writer that stamps no time the looks tell how many frames came") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const auto count = [&] { alter_header(stream, [](layout::Metadata& header) { ++header.cnt0; }); };
  SUBCASE("from the first frame on") {}
  SUBCASE("after one that does") { publish<std::uint16_t>(stream, 1); }
  count();
  FrameLog log;
  log.look(stream);
  for (int frame = 0; frame < 5; ++frame) {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    count();
    CHECK(log.look(stream));
  }
  const Rate rate = rate_of(log.frames());
  CHECK_FALSE(rate.is_stamped);
  CHECK(rate.frames == 5);
  CHECK(rate.hertz.value_or(0) > 0);
  CHECK(rate.hertz.value_or(0) <= 500);
  CHECK_FALSE(rate.jitter);
  CHECK_FALSE(rate.min);
}

TEST_CASE("of pyMilk the time of access is the time of writing") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("cam");
  Tai time = stream.created() + 1s;
  const auto write = [&] {
    alter_header(stream, [&](layout::Metadata& header) {
      header.lastaccesstime = to_timespec(time);
      ++header.cnt0;
    });
    time += 20ms;
  };
  SUBCASE("from the first frame on") { write(); }
  SUBCASE("after a writer that stamps its frames") {
    publish_at(stream, start);
    write();
  }
  FrameLog log;
  log.look(stream);
  for (int frame = 0; frame < 4; ++frame) {
    write();
    CHECK(log.look(stream));
  }
  const Rate rate = rate_of(log.frames());
  CHECK(rate.is_stamped);
  CHECK(rate.hertz.value_or(0) == doctest::Approx(50));
  CHECK(log.frames().back().written == time - 20ms);
}

TEST_CASE("frames are watched until there are enough, or no longer") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const Stream watched = Stream::open(directory.stream("cam"), Access::read);
  const pid_t writer = in_child([&] {
    while (true) {
      publish<std::uint16_t>(stream, 1);
    }
  });
  const std::vector<FrameTime> seen =
      watch_frames(watched, 50, {.deadline = deadline_after(std::chrono::seconds{20})});
  ::kill(writer, SIGKILL);
  CHECK(reap(writer) == 128 + SIGKILL);
  CHECK(seen.back().cnt0 - seen.front().cnt0 >= 50);
  using namespace std::chrono_literals;
  CHECK(watch_frames(watched, 1, {.deadline = deadline_after(0ns)}).size() == 1);
  CHECK(watch_frames(watched, 1, {.silence = 1ms}).size() == 1);
  CHECK(watch_frames(watched, 1, {.cancelled = [] { return true; }}).size() == 1);
  std::filesystem::remove(directory.stream("cam"));
  CHECK(watch_frames(watched, 1, {}).size() == 1);
}

TEST_CASE("a stream that had no frame yet has its first one as the beginning") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("a");
  FrameLog log;
  CHECK(log.look(stream));
  for (int frame = 0; frame < 3; ++frame) {
    publish_at(stream, start + frame * 1ms);
    CHECK(log.look(stream));
  }
  CHECK(rate_of(log.frames()).hertz.value_or(0) == doctest::Approx(1000));
  CHECK(rate_of(log.frames()).frames == 2);
  const Rate first = rate_of(std::span(log.frames()).first(2));
  CHECK(first.frames == 1);
  CHECK_FALSE(first.is_stamped);
}
