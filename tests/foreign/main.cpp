// shmim-foreign: programs that are not ours, and what must hold beside them. See README.md.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "../faults/harness.hpp"
#include "image.hpp"

namespace shmim::foreign {
namespace {

using faults::Child;
using faults::Metronome;
using std::chrono::steady_clock;
using test::Directory;

constexpr std::array orders{Order::update_im, Order::pymilk, Order::magaox, Order::by_hand};

std::map<std::string, Order> order_names() {
  return {{"update-im", Order::update_im},
          {"pymilk", Order::pymilk},
          {"magaox", Order::magaox},
          {"by-hand", Order::by_hand}};
}

struct Options {
  std::filesystem::path path;
  Order order = Order::update_im;
  double rate = 0;
  std::uint64_t frames = 1;
  double seconds = 1;
};

int write(const Options& options) {
  const Image image(options.path);
  Metronome metronome(options.rate);
  for (std::uint64_t frame = 0; frame < options.frames; ++frame) {
    metronome.wait();
    image.write(options.order);
  }
  return 0;
}

struct Cell {
  Order order = Order::update_im;
  std::uint32_t slots = 0;
  double rate = 0;
  std::size_t bytes = 0;
  bool by_cat = false;
};

struct Tally {
  std::uint64_t read = 0;
  std::uint64_t missed = 0;
  std::uint64_t torn = 0;
  std::uint64_t misnumbered = 0;  ///< older pixels under a newer number, or out of order
  [[nodiscard]] double missed_share() const noexcept {
    return read + missed == 0 ? 1
                              : static_cast<double>(missed) / static_cast<double>(read + missed);
  }
};

/// A frame is of `bytes`: the array, or one of ten planes.
Format format_of(const Cell& cell) {
  Format format = faults::numbers(cell.bytes, cell.slots);
  if (cell.order == Order::magaox) {
    constexpr std::uint32_t planes = 10;
    format.shape = Shape{format.shape[0], 1, planes};
    format.image_type = layout::image_circular | layout::image_z_time;
  }
  return format;
}

/// For so long a reader and its writer may stand on one processor, until the kernel parts them:
/// what is missed meanwhile is the kernel's.
constexpr std::chrono::milliseconds settling{250};

void judge_frame(std::span<const std::byte> frame, std::uint64_t expected, Tally& tally) {
  ++tally.read;
  tally.torn += faults::is_uniform(frame) ? 0 : 1;
  tally.misnumbered += faults::number_in(frame) == expected ? 0 : 1;
}

Tally follow(const Stream& stream, const Cell& cell, double seconds) {
  Tally tally;
  Follower follower(stream);
  std::vector<std::byte> pixels(cell.bytes);
  std::uint64_t before = 0;
  const auto copy = [&](std::span<const std::byte> frame) {
    std::copy_n(frame.begin(), pixels.size(), pixels.begin());
  };
  const auto begin = steady_clock::now() + settling;
  const auto end = begin + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end) {
    TakenFrame frame;
    const Deadline deadline = deadline_after(std::chrono::seconds{10});
    if (follower.next(FrameOrder::every, deadline, copy, frame) != Arrival::arrived) {
      throw Error(Problem::failed, "cam", "no frame came");
    }
    tally.missed += steady_clock::now() < begin ? 0 : frame.missed;
    judge_frame(pixels, frame.info.cnt0, tally);
    tally.misnumbered += frame.info.cnt0 > before ? 0 : 1;
    before = frame.info.cnt0;
  }
  return tally;
}

/// Of what shmim-cat writes the numbers must go up, and what is left out is missed.
Tally follow_by_cat(const Directory& directory, const Cell& cell, double seconds) {
  Tally tally;
  faults::Pipe pipe;
  const Child cat([&] {
    pipe.become_stdout();
    pipe.close_end(0);
    static_cast<void>(std::freopen("/dev/null", "w", stderr));
    faults::execute(directory.path(), {"shmim-cat", "cam", "-f", "-o", "raw"});
  });
  pipe.close_end(1);
  std::vector<std::byte> frame(cell.bytes);
  std::uint64_t before = 0;
  const auto begin = steady_clock::now() + settling;
  const auto end = begin + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end && pipe.read(frame, std::chrono::seconds{10})) {
    const std::uint64_t number = faults::number_in(frame);
    judge_frame(frame, std::max(number, before + 1), tally);
    const bool is_settled = before != 0 && steady_clock::now() >= begin;
    tally.missed += is_settled && number > before ? number - before - 1 : 0;
    before = number;
  }
  return tally;
}

Tally run(const Cell& cell, double seconds) {
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "cam", format_of(cell));
  if (!stream.publish()) {
    throw Error(Problem::exists, "cam", "is there already");
  }
  const Child writer([&] {
    const Image image(directory.stream("cam"));
    for (Metronome metronome(cell.rate);;) {
      metronome.wait();
      image.write(cell.order);
    }
  });
  while (stream.cnt0() == 0) {
    std::this_thread::yield();
  }
  return cell.by_cat ? follow_by_cat(directory, cell, seconds) : follow(stream, cell, seconds);
}

void print(const Cell& cell, const Tally& tally) {
  fmt::print("{:<9}  {:<8}  {:>5}  {:>7}  {:>7}  {:>8}  {:>6.2f}%  {:>5}  {:>9}\n",
             name_of(cell.order), cell.by_cat ? "cat -f" : "Follower", cell.slots,
             fmt::format("{:.0f} Hz", cell.rate), cell.bytes, tally.read,
             100 * tally.missed_share(), tally.torn, tally.misnumbered);
  static_cast<void>(std::fflush(stdout));
}

/// The one to compare with: counts before it posts, and leaves the buffer alone too.
constexpr Order counting_first = Order::by_hand;

/// Nothing torn and nothing misnumbered, ever. Missed at most 1 % more than beside a writer that
/// counts first: the machine may be busy, so that is asked of one try of several, side by side,
/// each twice as long as the one before it.
void judge(Cell cell, double seconds, faults::Verdict& verdict) {
  constexpr int tries = 5;
  constexpr double margin = 0.01;
  bool is_within = false;
  for (int attempt = 0; attempt < tries && !is_within; ++attempt) {
    const Tally tally = run(cell, seconds);
    print(cell, tally);
    verdict.expect(tally.read > 0, "no frame was read");
    verdict.expect(tally.torn == 0, "torn frames");
    verdict.expect(tally.misnumbered == 0, "older pixels under newer numbers");
    is_within = cell.order == counting_first || tally.missed_share() <= margin;
    if (!is_within) {
      Cell other = cell;
      other.order = counting_first;
      const Tally beside = run(other, seconds);
      print(other, beside);
      is_within = tally.missed_share() <= beside.missed_share() + margin;
    }
    seconds *= 2;
  }
  verdict.expect(is_within, fmt::format("{}: more missed than beside a writer that counts first",
                                        name_of(cell.order)));
}

/// A reader that takes what is there when it is woken, as many do: what shows that the rest can
/// fail. Beside a program that posts before it counts, the number is that of the frame before.
Tally read_naively(double seconds) {
  const Cell cell{Order::pymilk, 0, 5000, 16UL * 1024, false};
  const Directory directory;
  Stream stream = Stream::draft(directory.path(), "cam", format_of(cell));
  if (!stream.publish()) {
    throw Error(Problem::exists, "cam", "is there already");
  }
  const Child writer([&] {
    const Image image(directory.stream("cam"));
    for (Metronome metronome(cell.rate);;) {
      metronome.wait();
      image.write(cell.order);
    }
  });
  Tally tally;
  const Image image(directory.stream("cam"));
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  while (steady_clock::now() < end) {
    sem_wait(image.semaphore(0));
    const std::uint64_t cnt0 = image.cnt0();
    judge_frame(stream.unguarded_pixels(), cnt0, tally);
  }
  return tally;
}

int matrix(const Options& options) {
  faults::Verdict verdict;
  fmt::print("{:<9}  {:<8}  {:>5}  {:>7}  {:>7}  {:>8}  {:>7}  {:>5}  {:>9}\n", "WRITER", "READER",
             "SLOTS", "RATE", "BYTES", "READ", "MISSED", "TORN", "OLD");
  struct Pace {
    double rate;
    std::size_t bytes;
  };
  for (const Pace pace : {Pace{1000, 128UL * 1024}, Pace{5000, 16UL * 1024}}) {
    for (const std::uint32_t slots : {0U, 16U}) {
      for (const bool by_cat : {false, true}) {
        for (const Order order : orders) {
          judge({order, slots, pace.rate, pace.bytes, by_cat}, options.seconds, verdict);
        }
      }
    }
  }
  const Tally control = read_naively(options.seconds);
  verdict.expect(control.misnumbered > 0,
                 "a reader that checks nothing got no misnumbered frame: the rest shows nothing");
  fmt::print("a reader that checks nothing, beside pyMilk: {} of {} misnumbered\n",
             control.misnumbered, control.read);
  return verdict.exit_status();
}

/// Waits on a semaphore that it has not claimed, and takes every wake for a frame, as programs of
/// the C library do. Counts the wakes that none was there for.
class Sleeper {
 public:
  Sleeper(std::filesystem::path path, unsigned index) : path_(std::move(path)), index_(index) {}

  void look_until(steady_clock::time_point end, std::atomic<std::uint64_t>& wakes,
                  std::atomic<std::uint64_t>& false_wakes) const {
    while (steady_clock::now() < end) {
      if (::access(path_.c_str(), F_OK) != 0) {
        std::this_thread::yield();
        continue;
      }
      try {
        look_at_one(end, wakes, false_wakes);
      } catch (const std::system_error&) {
        // It went in this very moment.
      }
    }
  }

 private:
  /// Until the name leads to another file.
  void look_at_one(steady_clock::time_point end, std::atomic<std::uint64_t>& wakes,
                   std::atomic<std::uint64_t>& false_wakes) const {
    const Image image(path_);
    // All since the stream was made: one that is counted already may not have been posted yet.
    std::uint64_t posts = 0;
    sem_t* semaphore = image.semaphore(index_);
    while (sem_trywait(semaphore) == 0) {
      ++posts;
    }
    while (steady_clock::now() < end) {
      timespec limit{};
      clock_gettime(CLOCK_REALTIME, &limit);
      limit.tv_nsec += 50'000'000;
      limit.tv_sec += limit.tv_nsec / 1'000'000'000;
      limit.tv_nsec %= 1'000'000'000;
      if (sem_timedwait(semaphore, &limit) == 0) {
        ++wakes;
        ++posts;
        false_wakes += posts > image.cnt0() ? 1 : 0;
        continue;
      }
      struct stat status {};
      if (::stat(path_.c_str(), &status) != 0 || status.st_ino != image.inode()) {
        return;
      }
    }
  }
  std::filesystem::path path_;
  unsigned index_;
};

/// What the tools do to a stream while others sleep on it.
std::vector<std::vector<std::string>> disturbances() {
  return {
      {"shmim-wait", "cam", "-q", "-t", "20ms"},
      {"shmim-cat", "cam", "-q", "-n", "1", "-t", "20ms"},
      {"shmim-info", "cam"},
      {"shmim-ls", "cam"},
      {"shmim-post", "cam", "-q", "--update"},
      {"shmim-create", "cam", "8x8", "-q", "--recreate"},
      {"shmim-kw", "cam", "-q", "A=1"},
      {"shmim-rm", "cam", "-q"},
      {"shmim-create", "cam", "8x8", "-q"},
      {"shmim-post", "cam", "-q", "--update"},
  };
}

/// A sleeper that is posted to with no frame: what shows that the rest can fail.
bool notices_a_false_wake(const Directory& directory) {
  Format format;
  format.shape = Shape{8, 8};
  Stream stream = Stream::draft(directory.path(), "control", format);
  if (!stream.publish()) {
    return false;
  }
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<std::uint64_t> false_wakes{0};
  const auto end = steady_clock::now() + std::chrono::milliseconds{300};
  std::thread sleeper(
      [&] { Sleeper(directory.stream("control"), 0).look_until(end, wakes, false_wakes); });
  const Image image(directory.stream("control"));
  while (steady_clock::now() < end) {
    sem_post(image.semaphore(0));
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  sleeper.join();
  return false_wakes > 0;
}

int sleepers(const Options& options) {
  const Directory directory;
  struct Counts {
    std::atomic<std::uint64_t> wakes{0};
    std::atomic<std::uint64_t> false_wakes{0};
  };
  const faults::Shared<Counts> counts;
  const auto end = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                             std::chrono::duration<double>(options.seconds));
  std::vector<Child> readers;
  for (const unsigned index : {0U, 4U, 9U}) {
    readers.emplace_back([&, index] {
      Sleeper(directory.stream("cam"), index).look_until(end, counts->wakes, counts->false_wakes);
    });
  }
  std::uint64_t runs = 0;
  const auto tool = [&](const std::vector<std::string>& command) {
    Child child([&] {
      static_cast<void>(std::freopen("/dev/null", "w", stdout));
      static_cast<void>(std::freopen("/dev/null", "w", stderr));
      faults::execute(directory.path(), command);
    });
    ++runs;
    return child;
  };
  tool({"shmim-create", "cam", "8x8", "-q"}).wait();
  while (steady_clock::now() < end) {
    // Two at a time: one that waits while the stream goes from under it.
    Child waiting = tool({"shmim-cat", "cam", "-q", "-f", "-t", "100ms"});
    for (const std::vector<std::string>& command : disturbances()) {
      tool(command).wait();
    }
    waiting.wait();
  }
  faults::Verdict verdict;
  for (Child& reader : readers) {
    verdict.expect(reader.wait() == 0, "a reader failed");
  }
  verdict.expect(notices_a_false_wake(directory),
                 "a post without a frame was not noticed: the rest shows nothing");
  fmt::print("{} runs of tools, {} wakes of 3 readers, {} of them false\n", runs,
             counts->wakes.load(), counts->false_wakes.load());
  verdict.expect(counts->wakes > 0, "nobody was woken at all: this shows nothing");
  verdict.expect(counts->false_wakes == 0, "readers were woken for no frame");
  return verdict.exit_status();
}

int run(int argc, char** argv) {
  CLI::App app("programs that are not ours, and what must hold beside them", "shmim-foreign");
  app.require_subcommand(1);
  app.add_option("--tools", faults::tools_directory(), "where the shmim-* programs are");
  Options options;
  const auto command = [&](const char* name, const char* what, int (*job)(const Options&)) {
    CLI::App* subcommand = app.add_subcommand(name, what);
    subcommand->final_callback([&options, job] { throw CLI::RuntimeError(job(options)); });
    return subcommand;
  };
  auto* writing = command("write", "write frames as a program does", write);
  writing->add_option("PATH", options.path, "the stream's file")->required()->type_name("");
  writing->add_option("--order", options.order, "of the program's steps")
      ->transform(CLI::CheckedTransformer(order_names()));
  writing->add_option("--rate", options.rate, "in Hz; 0: without a pause");
  writing->add_option("--frames", options.frames, "how many");
  command("matrix", "our readers beside each kind of writer", matrix)
      ->add_option("--seconds", options.seconds, "for each cell");
  command("sleepers", "readers of the C library beside our tools", sleepers)
      ->add_option("--seconds", options.seconds, "how long");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return 0;
}

}  // namespace
}  // namespace shmim::foreign

int main(int argc, char** argv) {
  try {
    return shmim::foreign::run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs(error.what(), stderr));
    return EXIT_FAILURE;
  }
}
