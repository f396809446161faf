// What must not grow with the frame: open, trace, wait and post, from 1 KiB to 1 GiB; and what must
// grow as the work does: a listing, for each stream of it. The floor is the smallest.

#include <memory>

#include <fmt/format.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

void measure_sizes(const Bench& bench) {
  std::vector<std::uint64_t> sizes = bench.sizes_or({1 << 10, 1 << 20, 32 << 20, 1 << 30});
  const auto free = std::filesystem::space(bench.scratch.path()).available;
  std::erase_if(sizes, [&](std::uint64_t size) {
    const bool is_too_large = size > free / 2;
    if (is_too_large) {
      bench.audience.note("growth", fmt::format("{} is more than half of what is free: left out",
                                                bytes_text(size)));
    }
    return is_too_large;
  });
  std::vector<std::unique_ptr<Temporary>> streams;
  for (const std::uint64_t size : sizes) {
    streams.push_back(
        std::make_unique<Temporary>(bench.scratch, fmt::format("size{}", size), size));
    WriteGuard(streams.back()->stream()).publish();
  }
  std::vector<std::unique_ptr<Follower>> followers;
  followers.reserve(streams.size());
  for (const auto& stream : streams) {
    followers.push_back(std::make_unique<Follower>(stream->stream().duplicate()));
  }
  struct Operation {
    const char* name;
    std::function<void(const Stream&, Follower&)> run;
  };
  const std::vector<Operation> operations{
      {"open and close",
       [](const Stream& stream, Follower&) { static_cast<void>(Stream::open(stream.path())); }},
      {"trace",
       [](const Stream& stream, Follower&) {
         std::vector<TraceEntry> entries;
         stream.require_whole(stream.snapshot_trace(entries));
       }},
      {"wait, a frame being there",
       [](const Stream&, Follower& follower) {
         follower.set_seen(0);
         static_cast<void>(follower.wait(std::nullopt));
       }},
      {"post",
       [](const Stream& stream, Follower&) {
         stream.semaphores().post(SemaphoreSet::all());
         for (unsigned i = 0; i < stream.semaphores().count(); ++i) {
           stream.semaphores().drain(i);
         }
       }},
  };
  for (const Operation& operation : operations) {
    Case contest{"growth", operation.name, {}, 500};
    for (const auto& follower : followers) {
      const Stream& stream = follower->stream();
      contest.contenders.push_back(
          {bytes_text(stream.format().bytes()), [&operation, &stream, &follower = *follower] {
             return timed([&] { operation.run(stream, follower); }, 10);
           }});
    }
    bench.run(contest);
  }
}

void measure_listings(const Bench& bench) {
  std::vector<std::filesystem::path> directories;
  Case contest{"growth", "listing, for each stream", {}, 20};
  for (const std::size_t count : {std::size_t{10}, std::size_t{100}, std::size_t{1000}}) {
    const std::filesystem::path directory = bench.scratch.path() / fmt::format("{}", count);
    std::filesystem::create_directory(directory);
    for (std::size_t i = 0; i < count; ++i) {
      static_cast<void>(
          Stream::draft(directory, fmt::format("list{:03}", i), format_of(256)).publish());
    }
    contest.contenders.push_back(
        {fmt::format("{} streams", count), [directory, count] {
           return timed([&] {
                    for (const std::string& name : list_streams(directory)) {
                      static_cast<void>(Stream::open(stream_path(directory, name), Access::read));
                    }
                  }) /
                  static_cast<double>(count);
         }});
    directories.push_back(directory);
  }
  bench.run(contest);
  for (const std::filesystem::path& directory : directories) {
    std::filesystem::remove_all(directory);
  }
}

}  // namespace

void measure_growth(const Bench& bench) {
  measure_sizes(bench);
  measure_listings(bench);
}

}  // namespace shmim::tools::bench
