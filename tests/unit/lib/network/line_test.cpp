#include "network/line.hpp"

#include <deque>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using shmim::network::Line;
using Time = Line::Time;
using Duration = Time::duration;

namespace {

constexpr std::uint64_t frame_bytes = 1000;

/// A line as it would be: a frame takes so long to go out, one after the other, and its credit is
/// back so much later. Frames are there to be sent whenever there is room.
struct Simulation {
  Duration going_out;
  Duration delay;
  Line line = {};
  Time now = Time(1h);
  Time free = now;
  struct Credit {
    std::uint64_t number;
    Time when;
  };
  std::deque<Credit> credits = {};
  std::uint64_t sent = 0;
  Duration longest_wait = 0ns;  ///< from sending a frame to its beginning to go out

  void run(std::uint64_t frames) {
    longest_wait = 0ns;
    for (const std::uint64_t last = sent + frames; sent < last;) {
      if (line.has_room(now)) {
        longest_wait = std::max(longest_wait, free - now);
        free = std::max(free, now) + going_out;
        line.sent(++sent, frame_bytes, now);
        credits.push_back({sent, free + delay});
        continue;
      }
      REQUIRE_FALSE(credits.empty());
      if (line.next() > now && line.next() < credits.front().when) {
        now = line.next();
        continue;
      }
      now = std::max(now, credits.front().when);
      line.credited(credits.front().number, now, delay);
      credits.pop_front();
    }
  }
};

}  // namespace

TEST_CASE("a line holds as many frames as go out in its delay; one goes out, and one waits") {
  for (const Duration delay :
       {Duration(0ns), Duration(500us), Duration(3ms), Duration(20ms), Duration(50ms)}) {
    CAPTURE(delay.count());
    Simulation simulation{1ms, delay};
    simulation.run(2000);
    const Time begin = simulation.now;
    constexpr std::uint64_t frames = 4000;
    simulation.run(frames);
    // It is never idle, but where a frame has it for itself.
    CHECK(simulation.now - begin < frames * 1050us);
    CHECK(simulation.longest_wait <= 2ms);
    CHECK(*simulation.line.rate() == doctest::Approx(frame_bytes * 1000).epsilon(0.01));
  }
}

TEST_CASE("no more than 64 frames are on their way, however long the line") {
  Simulation simulation{1ms, 1s};
  simulation.run(10000);
  CHECK(simulation.credits.size() <= 64);
  CHECK(simulation.credits.size() > 60);
}

TEST_CASE("a line that becomes shorter, or longer, is found to be so") {
  Simulation simulation{1ms, 40ms};
  simulation.run(5000);
  CHECK(simulation.credits.size() > 38);
  simulation.delay = 2ms;
  simulation.run(10000);
  CHECK(simulation.credits.size() <= 5);
  simulation.delay = 40ms;
  simulation.run(20000);
  CHECK(simulation.credits.size() > 38);
}

TEST_CASE("frames that do not fill the window say nothing of how many it could be") {
  Line line;
  Time now(1h);
  for (std::uint64_t number = 1; number < 1000; ++number) {
    REQUIRE(line.has_room(now));
    line.sent(number, frame_bytes, now);
    line.credited(number, now + 10ms, 9ms);
    now += 20ms;
  }
  // Each had the line for itself, and took a millisecond more than nothing does.
  CHECK(*line.rate() == doctest::Approx(frame_bytes * 1000).epsilon(0.01));
  line.sent(1000, frame_bytes, now);
  CHECK(line.has_room(now + 1ms) != line.has_room(now + 6s));
}

TEST_CASE("nothing is known of a line over which nothing has come") {
  Line line;
  CHECK_FALSE(line.rate());
  CHECK(line.has_room(Time(1h)));
  line.sent(1, frame_bytes, Time(1h));
  CHECK_FALSE(line.has_room(Time(1h)));  // the first has it for itself
  line.credited(0, Time(1h) + 1ms, 0ns);
  CHECK_FALSE(line.rate());
}
