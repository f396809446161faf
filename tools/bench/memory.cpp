// The most memory that a tool has at any time, on a stream of 8 MiB, over the stream itself, which
// it maps. Held against one frame and 4 MiB.

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "bench/measure.hpp"
#include "bench/process.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::uint64_t big_frame_bytes = 8 << 20;

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

void measure_memory(const Bench& bench) {
  const Temporary temporary(bench.scratch, "big", big_frame_bytes);
  Stream stream = temporary.stream();
  WriteGuard(stream).publish();
  const std::string raw = (bench.scratch.path() / "raw").string();
  const std::string fits = (bench.scratch.path() / "fits").string();
  {
    // Gone before a tool is forked: what we have then counts as its own.
    const std::vector<std::byte> pixels(big_frame_bytes, std::byte{1});
    write_file(raw, pixels);
    write_file(fits,
               to_fits(Hdu::primary, stream.format().type, stream.format().shape, pixels, {}));
  }
  const std::filesystem::path conf = bench.scratch.path() / "conf";
  std::filesystem::create_directory(conf);
  std::filesystem::copy_file(fits, conf / "shmim.loaded.fits",
                             std::filesystem::copy_options::overwrite_existing);

  Case contest{"memory",
               fmt::format("over a stream of {}", bytes_text(big_frame_bytes)),
               {},
               1,
               Unit::bytes};
  contest.contenders.push_back(
      {"a frame and 4 MiB", [] { return static_cast<double>(big_frame_bytes + (4 << 20)); }});
  const auto add = [&](const std::string& name, std::vector<std::string> arguments) {
    Command command{{sibling(name.substr(0, name.find(' '))).string()}};
    command.words.insert(command.words.end(), arguments.begin(), arguments.end());
    command.words.insert(command.words.end(), {"--dir", bench.scratch.path().string()});
    contest.contenders.push_back({"shmim-" + name, [&bench, command] {
                                    const std::uint64_t peak = run_for_memory(command).peak_bytes;
                                    bench.scratch.remove("loaded");
                                    return static_cast<double>(std::max(peak, big_frame_bytes) -
                                                               big_frame_bytes);
                                  }});
  };
  add("cat", {"big"});
  add("cat -o raw", {"big", "-o", "raw"});
  add("cat -o npy", {"big", "-o", "npy"});
  add("cat -o fits", {"big", "-o", "fits"});
  add("post --data raw", {"big", "--data", raw});
  add("post --data fits", {"big", "--data", fits});
  add("connect", {"big"});
  add("connect from fits", {"loaded", "--conf", conf.string()});
  add("create", {"loaded", "8388608", "--type", "uint8"});
  add("create --from", {"loaded", "--from", fits});
  add("wait", {"big", "--cnt0", "0"});
  add("trace", {"big"});
  bench.run(contest);
}

}  // namespace shmim::tools::bench
