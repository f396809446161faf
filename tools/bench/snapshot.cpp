// What a whole frame costs its reader, of a stream that nobody is writing. The floor is memcpy.

#include <algorithm>
#include <cstring>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

void measure(const Bench& bench, std::uint64_t size) {
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
  for (const std::uint64_t size : bench.sizes_or({128 << 10, 512 << 10, 8 << 20})) {
    measure(bench, size);
  }
}

}  // namespace shmim::tools::bench
