// Frames read beside writers that leave little or no pause. Each element of a frame holds the
// frame's number, so that one made of two shows.

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "c_library.hpp"
#include "harness.hpp"

namespace shmim::faults {
namespace {

using std::chrono::steady_clock;

enum class Reader { snapshot, cat, naive };

struct Cell {
  bool writer_is_ours = true;
  Reader reader = Reader::snapshot;
  std::uint32_t slots = 0;
  double rate = 0;  ///< in Hz; 0: never pauses
  std::size_t bytes = 0;
};

struct Tally {
  std::uint64_t read = 0;
  std::uint64_t retries = 0;
  std::uint64_t given_up = 0;
  std::uint64_t torn = 0;
};

[[noreturn]] void write_for_ever(const std::filesystem::path& path, const Cell& cell) {
  Metronome metronome(cell.rate);
  if (cell.writer_is_ours) {
    Stream stream = Stream::open(path);
    while (true) {
      metronome.wait();
      publish_numbered(stream);
    }
  }
  const c_library::Image image = c_library::open(path);
  while (true) {
    metronome.wait();
    c_library::begin(image);
    fill_frame(image.array, image.md->cnt0 + 1);
    c_library::update(image);
  }
}

/// When a cell is done: it has read its frames, or its time is over.
class Limit {
 public:
  explicit Limit(const TornOptions& options) : options_(options) {}
  [[nodiscard]] bool allows(const Tally& tally) const {
    const std::chrono::duration<double> elapsed = steady_clock::now() - begin_;
    return tally.read + tally.given_up < options_.frames &&
           (options_.seconds <= 0 || elapsed.count() < options_.seconds);
  }

 private:
  TornOptions options_;
  steady_clock::time_point begin_ = steady_clock::now();
};

Tally read_snapshots(const Stream& stream, const Limit& limit, std::chrono::nanoseconds patience) {
  Tally tally;
  std::vector<std::byte> frame(stream.format().bytes());
  std::uint64_t seen = 0;
  while (limit.allows(tally)) {
    if (stream.cnt0() == seen) {
      std::this_thread::yield();
      continue;
    }
    const Deadline deadline = deadline_after(patience);
    // By way of the mapping and of the file in turn.
    const Snapshot snapshot = (tally.read % 2) != 0 ? stream.snapshot(frame, deadline)
                                                    : stream.snapshot_once(frame, deadline);
    tally.retries += snapshot.retries;
    if (snapshot.state != FrameState::whole) {
      ++tally.given_up;
      continue;
    }
    ++tally.read;
    seen = snapshot.info.cnt0;
    tally.torn += !is_uniform(frame) || number_in(frame) != seen ? 1 : 0;
  }
  return tally;
}

/// A reader that looks at nothing but the counter, as many do: what shows that the rest can fail.
/// It takes the end of a frame first, so that it meets the writer in the middle of the next one
/// on any machine; one that copies as fast as the writer writes may follow it for long.
Tally read_naively(const Stream& stream, const Limit& limit) {
  Tally tally;
  std::vector<std::byte> frame(stream.format().bytes());
  const auto pixels = stream.unguarded_pixels();
  for (std::uint64_t seen = 0; limit.allows(tally);) {
    if (const std::uint64_t cnt0 = stream.cnt0(); cnt0 != seen) {
      seen = cnt0;
      const std::size_t half = frame.size() / 2;
      std::ranges::copy(pixels.subspan(half), frame.begin() + static_cast<std::ptrdiff_t>(half));
      std::ranges::copy(pixels.first(half), frame.begin());
      ++tally.read;
      tally.torn += is_uniform(frame) ? 0 : 1;
    }
  }
  return tally;
}

Tally read_cat(const Directory& directory, const Limit& limit, std::size_t bytes) {
  Tally tally;
  std::vector<std::byte> frame(bytes);
  std::uint64_t before = 0;
  while (limit.allows(tally)) {
    Pipe pipe;
    const Child cat([&] {
      pipe.become_stdout();
      pipe.close_end(0);
      static_cast<void>(std::freopen("/dev/null", "w", stderr));
      execute(directory.path(), {"shmim-cat", "cam", "-f", "-o", "raw"});
    });
    pipe.close_end(1);
    while (limit.allows(tally) && pipe.read(frame, std::chrono::milliseconds{20'000})) {
      ++tally.read;
      const std::uint64_t number = number_in(frame);
      tally.torn += !is_uniform(frame) || number <= before ? 1 : 0;
      before = number;
    }
    tally.given_up += limit.allows(tally) ? 1 : 0;  // it ended by itself
  }
  return tally;
}

const char* words(Reader reader) {
  constexpr std::array names{"snapshot", "cat -f", "naive"};
  return names[static_cast<std::size_t>(reader)];
}

std::string describe(const Cell& cell) {
  return fmt::format("{:<6}  {:<8}  {:>5}  {:>9}  {:>8}", cell.writer_is_ours ? "ours" : "C-like",
                     words(cell.reader), cell.slots,
                     cell.rate > 0 ? fmt::format("{:.0f} Hz", cell.rate) : "free", cell.bytes);
}

Tally run_cell(const Cell& cell, const TornOptions& options) {
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "cam", numbers(cell.bytes, cell.slots));
  if (!stream.publish()) {
    throw Error(Problem::exists, "cam", "is there already");
  }
  const Child writer([&] { write_for_ever(directory.stream("cam"), cell); });
  while (stream.cnt0() == 0) {
    std::this_thread::yield();
  }
  const Limit limit(options);
  // Beside a writer that never pauses, and with no buffer, waiting long brings nothing. Elsewhere
  // it lasts longer than a busy machine may leave a writer asleep in mid-frame.
  const bool is_hopeless = cell.slots == 0 && cell.rate == 0;
  const auto patience = is_hopeless ? std::chrono::milliseconds{20} : std::chrono::seconds{10};
  switch (cell.reader) {
    case Reader::snapshot:
      return read_snapshots(Stream::open(directory.stream("cam"), Access::read), limit, patience);
    case Reader::cat:
      return read_cat(directory, limit, cell.bytes);
    case Reader::naive:
      break;
  }
  return read_naively(stream, limit);
}

constexpr std::size_t camera_frame = 512UL * 1024;

/// Where at least 99.9 % of the reads must succeed: with a circular buffer, and where the writer
/// leaves pauses.
bool must_succeed(const Cell& cell) {
  return cell.reader == Reader::snapshot && (cell.slots > 0 || cell.rate > 0);
}

Tally run_and_print(const Cell& cell, const TornOptions& options) {
  const Tally tally = run_cell(cell, options);
  fmt::print("{}  {:>8}  {:>10}  {:>8}  {:>6}\n", describe(cell), tally.read, tally.retries,
             tally.given_up, tally.torn);
  static_cast<void>(std::fflush(stdout));
  return tally;
}

/// Runs a cell, and says how many frames were read.
std::uint64_t judge(const Cell& cell, const TornOptions& options, Verdict& verdict) {
  const Tally tally = run_and_print(cell, options);
  verdict.expect(tally.torn == 0, fmt::format("{}: torn frames", describe(cell)));
  verdict.expect(!must_succeed(cell) || (tally.read > 0 && tally.given_up * 1000 <= tally.read),
                 fmt::format("{}: more than 0.1 % given up", describe(cell)));
  return tally.read;
}

}  // namespace

int torn(const TornOptions& options) {
  Verdict verdict;
  fmt::print("{:<6}  {:<8}  {:>5}  {:>9}  {:>8}  {:>8}  {:>10}  {:>8}  {:>6}\n", "WRITER", "READER",
             "SLOTS", "RATE", "BYTES", "READ", "RETRIES", "GIVEN UP", "TORN");
  std::uint64_t read = 0;
  for (const std::size_t bytes : {std::size_t{4096}, camera_frame, 8UL * 1024 * 1024}) {
    for (const double rate : {0.0, 20'000.0, 1'000.0}) {
      for (const std::uint32_t slots : {0U, 16U}) {
        for (const Reader reader : {Reader::snapshot, Reader::cat}) {
          for (const bool is_ours : {true, false}) {
            read += judge({is_ours, reader, slots, rate, bytes}, options, verdict);
          }
        }
      }
    }
  }
  const Tally control = run_and_print({false, Reader::naive, 0, 0, camera_frame}, options);
  verdict.expect(control.torn > 0,
                 "a reader that checks nothing got no torn frame: the rest shows nothing");
  fmt::print("{} frames read, {} failures; a reader that checks nothing: {} of {} torn\n", read,
             verdict.failures(), control.torn, control.read);
  return verdict.exit_status();
}

}  // namespace shmim::faults
