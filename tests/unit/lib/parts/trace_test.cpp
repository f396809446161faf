#include <array>
#include <barrier>
#include <limits>
#include <thread>

#include "parts/trace_writer.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// A stream `out` whose newest frame was triggered by `in`.
Stream triggered(const Directory& directory) {
  Stream in = directory.make("in");
  Stream out = directory.make("out");
  publish(in, std::uint16_t{1});
  const Trigger trigger = in.trigger(TriggerMode::semaphore, 3);
  WriteGuard guard(out);
  guard.set_trigger(trigger);
  guard.publish();
  return out;
}

}  // namespace

TEST_CASE("an entry says how far its writer has got, and a PID is a PID") {
  const Directory directory;
  Stream stream = triggered(directory);
  const TraceEntry done = stream.trace().entries().front();
  CHECK(done.writing == Writing::done);
  CHECK(done.written == stream.written());
  {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{1};
    const TraceEntry begun = stream.trace().entries().front();
    CHECK(begun.writing == Writing::begun);
    CHECK(begun.pid == this_process());
    CHECK_FALSE(begun.written);
  }
  const TraceEntry given_up = stream.trace().entries().front();
  CHECK(given_up.writing == Writing::given_up);
  CHECK(given_up.pid == this_process());
  CHECK_FALSE(given_up.written);
  CHECK(stream.trace().newest()->pid == this_process());
}

TEST_CASE("a frame that is not done has no latency") {
  const Directory directory;
  Stream stream = triggered(directory);
  CHECK(latency_of(stream.trace().entries(), 0));
  CHECK(end_to_end(stream.trace().entries()));
  {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{1};
    CHECK_FALSE(latency_of(stream.trace().entries(), 0));
  }
  CHECK_FALSE(latency_of(stream.trace().entries(), 0));
  CHECK_FALSE(end_to_end(stream.trace().entries()));
}

TEST_CASE("an ancestor keeps how far its writer had got") {
  const Directory directory;
  Stream in = directory.make("in");
  Stream out = directory.make("out");
  { static_cast<void>(WriteGuard(in).pixels()); }
  Trigger trigger;
  trigger.entry.trigger_inode = in.identity().inode;
  trigger.ancestors = in.trace().entries();
  WriteGuard guard(out);
  guard.set_trigger(trigger);
  guard.publish();
  const auto entries = out.trace().entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].writing == Writing::given_up);
  CHECK(entries[1].pid == this_process());
  CHECK_FALSE(entries[1].written);
}

TEST_CASE("a trace of any bytes has no PID below 1") {
  std::array<layout::TraceSlot, 3> slots{};
  slots[0].procwrite_pid = -7;
  slots[1].procwrite_pid = 8;
  slots[2].procwrite_pid = std::numeric_limits<pid_t>::min();
  const auto entries = Trace(slots).entries();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].pid == 7);
  CHECK(entries[1].pid == 8);
  slots[0].procwrite_pid = 0;
  CHECK_FALSE(Trace(slots).newest());
}

TEST_CASE("of a writer that is late with its mark and one that takes over, one writes") {
  constexpr pid_t dead = 4711;
  constexpr pid_t late = 11;
  constexpr pid_t other = 12;
  constexpr int rounds = 20'000;
  layout::TraceSlot slot{};
  const TraceWriter trace({&slot, 1});
  // What the late writer meets under the flag: a dead writer's frame, or the last one of its own.
  for (const TraceWriter::Mark found : {TraceWriter::Mark{dead, 0}, TraceWriter::Mark{late, 5}}) {
    const bool is_sure = found.pid == dead;
    bool late_writes = false;
    bool other_writes = false;
    int failures = 0;
    const auto judge_and_reset = [&]() noexcept {
      failures += late_writes == other_writes ||
                          slot.procwrite_pid != (late_writes ? late : other) ||
                          slot.ts_streamupdate.seconds != 0
                      ? 1
                      : 0;
      slot.procwrite_pid = found.pid;
      slot.ts_streamupdate.seconds = found.seconds;
    };
    judge_and_reset();
    failures = 0;
    std::barrier turn(2);
    std::barrier both_done(2, judge_and_reset);
    std::jthread taker([&] {
      for (int round = 0; round < rounds; ++round) {
        turn.arrive_and_wait();
        other_writes = is_sure ? trace.take_over(dead, other) : trace.take_over(found, other);
        both_done.arrive_and_wait();
      }
    });
    for (int round = 0; round < rounds; ++round) {
      turn.arrive_and_wait();
      late_writes = trace.begin(found, late);
      both_done.arrive_and_wait();
    }
    taker.join();
    CHECK(failures == 0);
  }
}

TEST_CASE("the delay from a stream is that from the frame of it that led to the newest") {
  using std::chrono::nanoseconds;
  const auto at = [](std::int64_t time) { return Tai(nanoseconds{time}); };
  TraceEntry newest;
  newest.trigger_inode = 2;
  newest.triggered = at(50);
  newest.written = at(70);
  TraceEntry middle;
  middle.trigger_inode = 1;
  middle.triggered = at(15);
  middle.written = at(40);
  TraceEntry oldest;
  oldest.written = at(10);
  const std::vector<TraceEntry> whole{newest, middle, oldest};
  CHECK(delay_from(whole, 2) == nanoseconds{30});
  CHECK(delay_from(whole, 1) == nanoseconds{60});
  CHECK(delay_from(std::span(whole).first(2), 1) == nanoseconds{55});  // since it was triggered
  CHECK_FALSE(delay_from(whole, 3));
  CHECK_FALSE(delay_from(whole, 0));
  std::vector<TraceEntry> begun = whole;
  begun.front().written.reset();
  CHECK_FALSE(delay_from(begun, 1));
}
