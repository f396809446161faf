// Each new frame whole, in Python. The floor is the same in C++.

#include <ctime>
#include <deque>

#include <unistd.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::chrono::microseconds period{500};
constexpr std::uint32_t slots = 64;
/// Of a run: each begins with a new follower.
constexpr std::size_t usual_frames = 1000;

/// Of a frame that a follower has taken.
struct Taken {
  std::uint64_t cnt0;
  std::int64_t moment;     ///< when it had it, by the steady clock
  std::int64_t processor;  ///< nanoseconds that it has run until then
};

constexpr const char* follow_in_python = R"(
import array, sys, time
import shmim
frames = shmim.open(sys.argv[2], sys.argv[1]).frames(timeout=10)
taken = array.array("q", (0, 0, time.process_time_ns()))
for frame in frames:
    taken.extend((frame.cnt0, time.monotonic_ns(), time.process_time_ns()))
    if frame.cnt0 >= int(sys.argv[3]):
        break
frames.close()
sys.stdout.buffer.write(taken.tobytes())
)";

std::int64_t processor_time() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

std::vector<Taken> follow_here(const Stream& stream, std::uint64_t last) {
  Follower follower(stream.duplicate());
  std::vector<std::byte> frame(stream.format().bytes());
  TakenFrame found;
  std::vector<Taken> taken{{0, 0, processor_time()}};
  const auto copy = [&frame](std::span<const std::byte> from) {
    std::copy(from.begin(), from.end(), frame.begin());
  };
  while (taken.back().cnt0 < last &&
         follower.next(FrameOrder::every, deadline_after(std::chrono::seconds{10}), copy, found) ==
             Arrival::arrived) {
    taken.push_back({found.info.cnt0, Clock::now().time_since_epoch().count(), processor_time()});
  }
  return taken;
}

/// What one follower after the other takes of a stream, frame by frame.
class Followed {
 public:
  enum class By { cpp, python };
  enum class What { processor_time, wake };

  Followed(const Bench& bench, By by, What what, std::uint64_t size)
      : bench_(bench),
        by_(by),
        what_(what),
        frames_(std::min(bench.settings.count.value_or(usual_frames), usual_frames)),
        stream_(bench.scratch, by == By::cpp ? "cpp" : "python", size, slots),
        pixels_(size, std::byte{1}) {}

  [[nodiscard]] double sample() {
    while (samples_.empty()) {
      follow_once();
    }
    const double first = samples_.front();
    samples_.pop_front();
    return first;
  }

 private:
  void follow_once() {
    Pipe pipe = make_pipe();
    const std::uint64_t before = stream_.stream().cnt0();
    const std::uint64_t last = before + frames_;
    const Peer peer(bench_.settings, [&] { follow(pipe.writing.get(), last); });
    pipe.writing = {};
    const Semaphores semaphores = stream_.stream().semaphores();
    do {
      peer.await_sleep();
    } while (semaphores.reader(semaphores.count() - 1) <= 0);
    peer.await_sleep();

    std::vector<std::int64_t> published;
    for (auto next = Clock::now(); published.size() < frames_; next += period) {
      sleep_until(next);
      WriteGuard guard(stream_.stream());
      guard.write(pixels_);
      published.push_back(Clock::now().time_since_epoch().count());
      guard.publish();
    }

    Taken previous{};
    for (Taken taken{}; read_one(pipe.reading.get(), taken); previous = taken) {
      if (taken.cnt0 > before) {
        samples_.push_back(static_cast<double>(
            what_ == What::wake ? taken.moment - published.at(taken.cnt0 - before - 1)
                                : taken.processor - previous.processor));
      }
    }
  }

  void follow(int out, std::uint64_t last) const {
    if (by_ == By::cpp) {
      const std::vector<Taken> taken = follow_here(stream_.stream(), last);
      static_cast<void>(write_all(out, std::as_bytes(std::span(taken))));
      return;
    }
    ::dup2(out, STDOUT_FILENO);
    ::execlp("python3", "python3", "-Bc", follow_in_python, bench_.scratch.path().c_str(),
             stream_.stream().name().c_str(), std::to_string(last).c_str(), nullptr);
  }

  static bool read_one(int pipe, Taken& taken) {
    const auto bytes = std::as_writable_bytes(std::span(&taken, 1));
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got = ::read(pipe, &bytes[done], bytes.size() - done);
      throw_if_interrupted();
      if (got <= 0) {
        return false;
      }
      done += static_cast<std::size_t>(got);
    }
    return true;
  }

  const Bench& bench_;
  By by_;
  What what_;
  std::size_t frames_;
  Temporary stream_;
  std::vector<std::byte> pixels_;
  std::deque<double> samples_;
};

bool has_package() {
  try {
    run_program({{"/bin/sh", "-c", "exec python3 -Bc 'import shmim' 2>/dev/null"}});
    return true;
  } catch (const Error&) {
    return false;
  }
}

void measure_followers(const Bench& bench, std::uint64_t size, Followed::What what,
                       const char* name) {
  Followed by_hand(bench, Followed::By::cpp, what, size);
  Followed ours(bench, Followed::By::python, what, size);
  Case contest{"python", fmt::format("{} at 2 kHz, {}", bytes_text(size), name), {}, usual_frames};
  contest.contenders.push_back({"Follower, in C++", [&] { return by_hand.sample(); }});
  contest.contenders.push_back({"shmim.frames", [&] { return ours.sample(); }});
  bench.run(contest);
}

}  // namespace

void measure_python(const Bench& bench) {
  if (!has_package()) {
    bench.audience.note("python", "python3 has no package shmim: nothing is measured");
    return;
  }
  for (const std::uint64_t size : bench.sizes_or({16 << 10})) {
    measure_followers(bench, size, Followed::What::processor_time, "processor time");
    measure_followers(bench, size, Followed::What::wake, "to be woken");
  }
}

}  // namespace shmim::tools::bench
