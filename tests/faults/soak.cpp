// Writers, readers, creators, removers and killers at random over a dozen streams, for as long as
// one likes. What must hold is looked at throughout.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "c_library.hpp"
#include "harness.hpp"

namespace shmim::faults {
namespace {

using std::chrono::steady_clock;

constexpr unsigned stream_count = 12;
constexpr unsigned actors = 24;
constexpr std::size_t small_frame = 4096;
constexpr std::size_t large_frame = 256UL * 1024;

struct SoakBoard {
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> read{0};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> woken_by_removal{0};
};

using Random = std::mt19937_64;

std::uint64_t pick(Random& random, std::uint64_t below) {
  return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random);
}

std::string name_of(std::uint64_t stream) { return fmt::format("s{:02}", stream); }

std::string size_of(std::size_t bytes) { return fmt::format("{}", bytes / sizeof(std::uint64_t)); }

/// What an expected Error leaves of an actor's work: nothing.
void unless_it_goes(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error&) {
  }
}

void write_some(const std::filesystem::path& path, SoakBoard& board, Random& random) {
  unless_it_goes([&] {
    Stream stream = Stream::open(path, Access::read_write);
    const bool pauses = pick(random, 2) == 0;
    for (std::uint64_t frame = pick(random, 5000); frame > 0 && stream.is_current(); --frame) {
      publish_numbered(stream);
      ++board.written;
      if (pauses) {
        std::this_thread::sleep_for(std::chrono::microseconds{pick(random, 500)});
      }
    }
  });
}

void follow_some(const std::filesystem::path& path, SoakBoard& board, Random& random) {
  unless_it_goes([&] {
    Follower follower(Stream::open(path));
    std::vector<std::byte> frame(follower.stream().format().bytes());
    const CopyFrame copy = [&](std::span<const std::byte> pixels) {
      std::copy(pixels.begin(), pixels.end(), frame.begin());
    };
    const auto order = pick(random, 2) == 0 ? FrameOrder::every : FrameOrder::latest;
    for (std::uint64_t left = pick(random, 5000); left > 0; --left) {
      TakenFrame taken;
      const Arrival arrival =
          follower.next(order, deadline_after(std::chrono::seconds{2}), copy, taken);
      if (arrival != Arrival::arrived) {
        board.woken_by_removal += arrival == Arrival::removed ? 1 : 0;
        return;
      }
      ++board.read;
      board.torn += is_uniform(frame) ? 0 : 1;
    }
  });
}

/// A child that does one thing at random, and ends.
Child act(const Directory& directory, SoakBoard& board, std::uint64_t seed) {
  return Child([&directory, &board, seed] {
    Random random(seed);
    const std::string name = name_of(pick(random, stream_count));
    const auto path = directory.stream(name);
    const std::string size = size_of(pick(random, 2) == 0 ? small_frame : large_frame);
    static_cast<void>(std::freopen("/dev/null", "w", stdout));
    static_cast<void>(std::freopen("/dev/null", "w", stderr));
    switch (pick(random, 10)) {
      case 0:
        execute(directory.path(), {"shmim-create", "tui64>" + name, size, "-c", "8"});
      case 1:
        execute(directory.path(), {"shmim-create", "tui64>" + name, size, "--recreate"});
      case 2:
        execute(directory.path(), {"shmim-rm", name});
      case 3:
        execute(directory.path(), {"shmim-wait", name, "-n", "100", "-t", "2s"});
      case 4:
        execute(directory.path(), {"shmim-post", name, "--update", "-n", "500", "--rate", "2000"});
      case 5:
      case 6:
      case 7:
        write_some(path, board, random);
        break;
      default:
        follow_some(path, board, random);
        break;
    }
  });
}

/// No file that has a name is anything but a whole stream, at any moment.
std::uint64_t look_at_all(const Directory& directory, Verdict& verdict) {
  std::uint64_t looks = 0;
  for (const std::string& name : directory.names()) {
    try {
      static_cast<void>(Stream::open(directory.path() / name, Access::read));
      ++looks;
    } catch (const Error& error) {
      verdict.expect(error.problem() == Problem::not_found, error.what());
    }
  }
  return looks;
}

/// Everybody is dead: all that they claimed is free, and the next writer finds its turn.
void look_at_the_end(const Directory& directory, Verdict& verdict) {
  for (const std::string& name : list_streams(directory.path())) {
    const auto expect = [&](bool holds, std::string_view what) {
      verdict.expect(holds, fmt::format("at the end, {}: {}", name, what));
    };
    Stream stream = Stream::open(directory.stream(name));
    expect(stream.claimed_by() == 0, "is claimed by the dead");
    std::vector<SemaphoreClaim> claims;
    for (unsigned index = 0; index < stream.semaphores().count(); ++index) {
      claims.push_back(stream.semaphores().claim());
    }
    publish_numbered(stream);
    std::vector<std::byte> frame(stream.format().bytes());
    expect(stream.snapshot(frame).state == FrameState::whole && is_uniform(frame),
           "its next frame is not whole");
    Stream::draft(directory.path(), name, stream.format()).publish_over();
  }
  for (const std::string& name : directory.names()) {
    verdict.expect(!name.starts_with('.'), name + " is left");
  }
}

}  // namespace

int soak(const SoakOptions& options) {
  const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device()();
  fmt::print("seed {}\n", seed);
  static_cast<void>(std::fflush(stdout));
  Random random(seed);
  Verdict verdict;
  const Directory directory;
  const Shared<SoakBoard> board;
  std::vector<Child> cast;
  std::uint64_t started = 0;
  std::uint64_t killed = 0;
  std::uint64_t looks = 0;
  const auto begin = steady_clock::now();
  const auto end = begin + std::chrono::duration_cast<steady_clock::duration>(
                               std::chrono::duration<double>(options.minutes * 60));
  while (steady_clock::now() < end) {
    cast.erase(
        std::remove_if(cast.begin(), cast.end(), [](Child& child) { return child.has_ended(); }),
        cast.end());
    while (cast.size() < actors) {
      cast.push_back(act(directory, *board, random()));
      ++started;
    }
    if (pick(random, 4) == 0) {
      cast[pick(random, cast.size())].kill(pick(random, 2) == 0 ? SIGKILL : SIGTERM);
      ++killed;
    }
    looks += look_at_all(directory, verdict);
    std::this_thread::sleep_for(std::chrono::milliseconds{pick(random, 20)});
  }
  cast.clear();
  look_at_the_end(directory, verdict);
  verdict.expect(board->torn == 0, fmt::format("{} torn frames", board->torn.load()));
  verdict.expect(board->read > 0 && board->written > 0 && killed > 0, "nothing happened");
  const std::chrono::duration<double> elapsed = steady_clock::now() - begin;
  fmt::print(
      "soak: {:.0f} s, seed {}: {} actors, {} killed; {} frames written, {} read, {} torn; {} "
      "readers "
      "told of a removal; {} looks at streams; {} failures\n",
      elapsed.count(), seed, started, killed, board->written.load(), board->read.load(),
      board->torn.load(), board->woken_by_removal.load(), looks, verdict.failures());
  return verdict.exit_status();
}

}  // namespace shmim::faults
