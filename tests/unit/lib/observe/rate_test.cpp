#include <cmath>
#include <csignal>

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

void publish_at(Stream& stream, Tai time) {
  // The write time is the writer's to choose: set as a program of the C library would.
  publish<std::uint16_t>(stream, 1);
  auto bytes = bytes_of(stream.path());
  layout::Metadata header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.writetime = to_timespec(time);
  std::memcpy(stream.unguarded_writable_pixels().data() - sizeof header, &header, sizeof header);
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
  auto frames = regular(1, 5, 10ms);
  frames[2].written += 4ms;
  const Rate rate = rate_of(frames);
  CHECK(*rate.hertz == doctest::Approx(100));
  CHECK(rate.min->count() == doctest::Approx(0.006));
  CHECK(rate.max->count() == doctest::Approx(0.014));
  // Intervals 10 14 6 10: deviations 0 4 -4 0.
  CHECK(rate.stddev->count() == doctest::Approx(std::sqrt(8.0) * 1e-3));
  // From a line through the times: 4 ms at the middle, less its mean 0.8: the slope is unmoved.
  CHECK(rate.jitter->count() == doctest::Approx(std::sqrt((3.2 * 3.2 + 4 * 0.64) / 5) * 1e-3));
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
  std::vector<FrameTime> seen;
  publish_at(stream, start);
  CHECK(see_frames(stream, seen));
  CHECK_FALSE(see_frames(stream, seen));
  publish_at(stream, start + 20ms);
  CHECK(see_frames(stream, seen));
  CHECK(*rate_of(seen).hertz == doctest::Approx(50));
}

TEST_CASE("a circular buffer tells the times of frames between two looks") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  Stream stream = directory.make("cam", format);
  publish<std::uint16_t>(stream, 1);
  std::vector<FrameTime> seen;
  static_cast<void>(see_frames(stream, seen));
  for (int i = 0; i < 4; ++i) {
    publish<std::uint16_t>(stream, 2);
  }
  static_cast<void>(see_frames(stream, seen));
  CHECK(seen.size() == 5);
  CHECK(rate_of(seen).missed == 0);
  for (int i = 0; i < 20; ++i) {
    publish<std::uint16_t>(stream, 3);
  }
  static_cast<void>(see_frames(stream, seen));
  CHECK(rate_of(seen).missed > 0);
  CHECK(seen.back().cnt0 == 25);
}

TEST_CASE("a counter that goes back begins anew") {
  const Directory directory;
  Stream stream = directory.make("cam");
  publish<std::uint16_t>(stream, 1);
  std::vector<FrameTime> seen{{7, start}};
  CHECK(see_frames(stream, seen));
  REQUIRE(seen.size() == 1);
  CHECK(seen.front().cnt0 == 1);
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
  const auto seen = watch_frames(watched, 50, deadline_after(std::chrono::seconds{20}), {});
  ::kill(writer, SIGKILL);
  CHECK(reap(writer) == 128 + SIGKILL);
  CHECK(seen.back().cnt0 - seen.front().cnt0 >= 50);
  CHECK(watch_frames(watched, 1, deadline_after(std::chrono::nanoseconds{0}), {}).size() == 1);
  CHECK(watch_frames(watched, 1, {}, [] { return true; }).size() == 1);
  std::filesystem::remove(directory.stream("cam"));
  CHECK(watch_frames(watched, 1, {}, {}).size() == 1);
}

TEST_CASE("a stream that had no frame yet has its first one as the beginning") {
  using namespace std::chrono_literals;
  const Directory directory;
  Stream stream = directory.make("a");
  std::vector<FrameTime> seen;
  CHECK(see_frames(stream, seen));
  for (int frame = 0; frame < 3; ++frame) {
    publish_at(stream, start + frame * 1ms);
    CHECK(see_frames(stream, seen));
  }
  CHECK(seen.size() == 3);
  CHECK(rate_of(seen).hertz.value_or(0) == doctest::Approx(1000));
}
