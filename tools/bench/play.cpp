// How far the frames of a recording are off their time line, a thousand a second, as shmim-play
// tells. The floor sleeps by clock_nanosleep until each is due, and copies as many bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <shmim/recording.hpp>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::uint64_t most_frames = 250;
constexpr std::uint64_t most_bytes = std::uint64_t{128} << 20;

std::filesystem::path make_recording(const Bench& bench, std::uint64_t size, std::uint64_t frames) {
  auto file = bench.scratch.path() / "played.fits";
  RecordedStream stream;
  stream.name = "played";
  stream.shape = format_of(size).shape;
  const std::vector<std::byte> frame(size, std::byte{1});
  RecordingOptions options;
  options.replaces = true;
  RecordingWriter writer(file, stream, options);
  FrameInfo info;
  for (info.cnt0 = 1; info.cnt0 <= frames; ++info.cnt0) {
    writer.write(info, 0, {}, frame);
  }
  writer.finish();
  return file;
}

/// What shmim-play says of the frames of a file, in nanoseconds.
double play(const Bench& bench, const std::string& file, const char* percentile) {
  std::string told;
  run_into_pipe({{sibling("play").string(), "--json", "--dir", bench.scratch.path().string(),
                  "--rate", "1000", file, "played"}},
                [&told](int pipe) {
                  std::array<std::byte, 4096> bytes{};
                  while (const std::size_t got = read_some(pipe, bytes, "shmim-play")) {
                    told.append(reinterpret_cast<const char*>(bytes.data()), got);
                  }
                });
  return nlohmann::json::parse(told).at(percentile).get<double>() * 1e9;
}

double sleep_and_copy(std::span<const std::byte> from, std::span<std::byte> to,
                      std::uint64_t frames, double percentile) {
  std::vector<double> errors;
  const auto begin = Clock::now();
  for (std::uint64_t frame = 1; frame <= frames; ++frame) {
    const auto due = begin + frame * std::chrono::milliseconds{1};
    sleep_until(due);
    std::memcpy(to.data(), from.data(), to.size());
    errors.push_back(std::chrono::duration<double, std::nano>(Clock::now() - due).count());
  }
  const auto place = static_cast<std::ptrdiff_t>(
      std::ceil(percentile / 100 * static_cast<double>(errors.size())) - 1);
  std::nth_element(errors.begin(), errors.begin() + place, errors.end());
  return errors[static_cast<std::size_t>(place)];
}

}  // namespace

void measure_play(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({400, 512 << 10})) {
    const std::vector<std::byte> from(size, std::byte{1});
    std::vector<std::byte> to(size);
    const std::uint64_t frames = std::clamp<std::uint64_t>(most_bytes / size, 20, most_frames);
    const Temporary stream(bench.scratch, "played", size);
    const std::string file = make_recording(bench, size, frames).string();
    for (const auto& [name, percentile] : {std::pair{"p50", 50.0}, std::pair{"p99", 99.0}}) {
      Case contest{
          "play", fmt::format("{} of {} frames of {}", name, frames, bytes_text(size)), {}, 2};
      contest.contenders.push_back({"clock_nanosleep and memcpy", [&, p = percentile] {
                                      return sleep_and_copy(from, to, frames, p);
                                    }});
      contest.contenders.push_back({"shmim-play", [&, n = name] { return play(bench, file, n); }});
      bench.run(contest);
    }
    std::filesystem::remove(file);
  }
}

}  // namespace shmim::tools::bench
