// What is there, and what is each: a thousand streams. The floor is open and pread of each header.

#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {

void measure_list(const Bench& bench) {
  constexpr std::size_t count = 1000;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) {
    const Stream stream = bench.scratch.stream(fmt::format("list{:03}", i), 256);
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
                count;
       }});
  contest.contenders.push_back(
      {"list_streams and Stream::open", [&] {
         return timed([&] {
                  for (const std::string& name : list_streams(bench.scratch.path())) {
                    sum +=
                        Stream::open(stream_path(bench.scratch.path(), name), Access::read).cnt0();
                  }
                }) /
                count;
       }});
  bench.run(contest);
  for (std::size_t i = 0; i < count; ++i) {
    bench.scratch.remove(fmt::format("list{:03}", i));
  }
}

}  // namespace shmim::tools::bench
