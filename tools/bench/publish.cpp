// What a frame costs its writer while nobody waits. The floor of a frame without pixels is what has
// to be stored, read and posted, by hand; of one with pixels, memcpy of the same bytes to the same
// array.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <semaphore.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

/// The fields and the semaphores of a stream without anything around them.
struct Bare {
  alignas(64) std::atomic<std::uint8_t> write;
  std::atomic<std::uint64_t> cnt0;
  std::atomic<std::uint64_t> cnt1;
  std::array<std::atomic<std::int64_t>, 4> times;  // atime and writetime
  std::array<std::atomic<std::int64_t>, 8> trace;  // entry 0
  std::array<sem_t, 11> semaphores;                // ten and the log's
  std::array<std::atomic<pid_t>, 10> posters;
};

void publish_by_hand(Bare& bare) noexcept {
  constexpr auto order = std::memory_order_relaxed;
  bare.write.store(1, order);
  timespec time{};
  clock_gettime(CLOCK_TAI, &time);
  for (std::size_t i = 0; i < bare.times.size(); ++i) {
    bare.times[i].store(i % 2 == 0 ? time.tv_sec : time.tv_nsec, order);
  }
  for (std::atomic<std::int64_t>& word : bare.trace) {
    word.store(time.tv_nsec, order);
  }
  bare.cnt1.store(bare.cnt1.load(order), order);
  bare.cnt0.store(bare.cnt0.load(order) + 1, order);
  bare.write.store(0, std::memory_order_release);
  for (std::size_t i = 0; i < bare.semaphores.size(); ++i) {
    int value = 0;
    sem_getvalue(&bare.semaphores[i], &value);
    if (value < layout::semaphore_max) {
      sem_post(&bare.semaphores[i]);
      bare.posters[i % bare.posters.size()].store(1, order);
    }
  }
}

void measure_without_pixels(const Bench& bench) {
  const Temporary temporary(bench.scratch, "publish", 64);
  Stream stream = temporary.stream();
  Bare bare{};
  for (sem_t& semaphore : bare.semaphores) {
    sem_init(&semaphore, 1, 0);
  }
  constexpr unsigned batch =
      50;  // means of so many: one is not much longer than a look at the clock
  Case contest{"publish", "no pixels, 10 semaphores", {}, 2000};
  contest.contenders.push_back({"stores, clock and posts by hand",
                                [&] { return timed([&] { publish_by_hand(bare); }, batch); }});
  contest.contenders.push_back(
      {"publish", [&] { return timed([&] { WriteGuard(stream).publish(); }, batch); }});
  bench.run(contest);
}

void measure_frames(const Bench& bench, std::uint64_t size, std::uint32_t slots) {
  const Temporary temporary(bench.scratch, "publish", size, slots);
  Stream stream = temporary.stream();
  std::vector<std::byte> frame(size);
  std::fill(frame.begin(), frame.end(), std::byte{1});
  const std::span<std::byte> array = stream.unguarded_writable_pixels();
  Case contest{"publish",
               slots == 0 ? bytes_text(size) : fmt::format("{}, {} slots", bytes_text(size), slots),
               {},
               std::clamp<std::size_t>((std::size_t{1} << 30) / size, 20, 1000)};
  contest.contenders.push_back(
      {"memcpy",
       [&] { return timed([&] { std::memcpy(array.data(), frame.data(), frame.size()); }); }});
  contest.contenders.push_back({"publish", [&] {
                                  return timed([&] {
                                    WriteGuard guard(stream);
                                    guard.write(frame);
                                    guard.publish();
                                  });
                                }});
  for (std::uint32_t i = 0; i < slots; ++i) {
    contest.contenders.back().sample();  // the first time round the kernel maps the slots
  }
  bench.run(contest);
}

}  // namespace

void measure_publish(const Bench& bench) {
  measure_without_pixels(bench);
  const auto sizes = bench.sizes_or({128 << 10, 512 << 10, 8 << 20, 64 << 20});
  for (const std::uint32_t slots : {0U, 16U}) {
    for (const std::uint64_t size : sizes) {
      measure_frames(bench, size, slots);
    }
  }
}

}  // namespace shmim::tools::bench
