// What a whole frame costs its reader, of a stream that nobody is writing. The floor is memcpy.

#include <algorithm>
#include <cstring>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

/// A small frame, whose cost is not that of memcpy: the floor is the bracket by hand. Means of a
/// batch, one being shorter than a look at the clock.
void measure_small(const Bench& bench, std::uint64_t size) {
  Temporary temporary(bench.scratch, "snapshot", size);
  Stream& stream = temporary.stream();
  WriteGuard(stream).publish();
  std::vector<std::byte> frame(size);
  const std::span<const std::byte> array = stream.unguarded_pixels();
  const auto& header = *(reinterpret_cast<const layout::Metadata*>(array.data()) - 1);
  constexpr unsigned batch = 200;
  const auto by_hand = [&] {
    std::uint64_t cnt0 = 0;
    do {
      cnt0 = layout::cnt0(header);
      std::memcpy(frame.data(), array.data(), frame.size());
      layout::finish_copy();
    } while (layout::is_writing(header) || layout::cnt0(header) != cnt0);
  };
  Case contest{"snapshot", bytes_text(size), {}, 1000};
  contest.contenders.push_back(
      {"counter, flag and memcpy by hand", [&] { return timed(by_hand, batch); }});
  contest.contenders.push_back(
      {"snapshot",
       [&] { return timed([&] { stream.require_whole(stream.snapshot(frame)); }, batch); }});
  bench.run(contest);
}

void measure_large(const Bench& bench, std::uint64_t size) {
  const Temporary temporary(bench.scratch, "snapshot", size);
  Stream stream = temporary.stream();
  WriteGuard(stream).publish();
  std::vector<std::byte> frame(size);
  const std::span<const std::byte> array = stream.unguarded_pixels();
  Case contest{"snapshot",
               bytes_text(size),
               {},
               std::clamp<std::size_t>((std::size_t{1} << 30) / size, 20, 1000)};
  contest.contenders.push_back(
      {"memcpy",
       [&] { return timed([&] { std::memcpy(frame.data(), array.data(), frame.size()); }); }});
  contest.contenders.push_back(
      {"snapshot", [&] { return timed([&] { stream.require_whole(stream.snapshot(frame)); }); }});
  bench.run(contest);
}

}  // namespace

void measure_snapshot(const Bench& bench) {
  constexpr std::uint64_t small = 64 << 10;
  for (const std::uint64_t size :
       bench.sizes_or({64, 400, 16 << 10, 128 << 10, 512 << 10, 8 << 20})) {
    size < small ? measure_small(bench, size) : measure_large(bench, size);
  }
}

}  // namespace shmim::tools::bench
