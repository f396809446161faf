// What is there, and what is each: a thousand streams. The floor is open and pread of each header;
// of the screen that shows them, what it may cost.

#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::size_t stream_count = 1000;

/// The screen that people leave open, while each stream gets ten frames a second: the processor
/// time of one refresh, of which there are ten a second too.
void measure_screen(const Bench& bench, const std::vector<std::string>& paths) {
  constexpr double refreshes = 20;
  constexpr std::chrono::milliseconds period{100};
  const Peer writer(bench.settings, [&] {
    raise_file_limit();
    std::vector<Stream> streams;
    streams.reserve(paths.size());
    for (const std::string& path : paths) {
      streams.push_back(Stream::open(path));
    }
    for (auto moment = Clock::now();; moment += period) {
      for (Stream& stream : streams) {
        WriteGuard(stream).publish();
      }
      sleep_until(moment + period);
    }
  });
  Case screen{"list", "1,000 streams at 10 Hz", {}, 1};
  screen.contenders.push_back({"a tenth of a processor, for 100 ms", [] { return 1e7; }});
  screen.contenders.push_back(
      {"shmim-top -b, a refresh", [&] {
         const Ended ended =
             run_program({{sibling("top").string(), "-b", "-n", fmt::format("{:.0f}", refreshes),
                           "-i", "100ms", "--dir", bench.scratch.path().string()}});
         return ended.processor_nanoseconds / refreshes;
       }});
  bench.run(screen);
}

}  // namespace

void measure_list(const Bench& bench) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < stream_count; ++i) {
    Stream stream = bench.scratch.stream(fmt::format("list{:03}", i), 256);
    paths.push_back(stream.path().string());
  }
  std::uint64_t sum = 0;
  Case contest{"list", "each of 1,000 streams", {}, 20};
  contest.contenders.push_back(
      {"open, pread of the header, close", [&] {
         return timed([&] {
                  for (const std::string& path : paths) {
                    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
                    std::array<std::byte, sizeof(layout::Metadata)> header{};
                    if (::pread(file.get(), header.data(), header.size(), 0) !=
                        static_cast<ssize_t>(header.size())) {
                      throw Error(Problem::failed, path, "cannot read the header");
                    }
                    sum += static_cast<std::uint64_t>(header.back());
                  }
                }) /
                stream_count;
       }});
  contest.contenders.push_back(
      {"list_streams and Stream::open", [&] {
         return timed([&] {
                  for (const std::string& name : list_streams(bench.scratch.path())) {
                    sum +=
                        Stream::open(stream_path(bench.scratch.path(), name), Access::read).cnt0();
                  }
                }) /
                stream_count;
       }});
  contest.contenders.push_back(
      {"list_streams and describe", [&] {
         return timed([&] {
                  ProcessTable processes;
                  for (const std::string& name : list_streams(bench.scratch.path())) {
                    const auto path = stream_path(bench.scratch.path(), name);
                    sum += describe(path, processes).header.cnt0;
                  }
                }) /
                stream_count;
       }});
  contest.contenders.push_back(
      {"shmim-ls", [&] {
         return run_program({{sibling("ls").string(), "--dir", bench.scratch.path().string()}})
                    .nanoseconds /
                stream_count;
       }});
  bench.run(contest);
  measure_screen(bench, paths);
  for (std::size_t i = 0; i < stream_count; ++i) {
    bench.scratch.remove(fmt::format("list{:03}", i));
  }
}

}  // namespace shmim::tools::bench
