// What a frame costs its writer while shmim-record --keep holds the newest. The floor is the same
// frame while nobody follows; beside it, one that wakes a reader who takes nothing.

#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::uint32_t kept_slots = 16;

void wait_for_frames(const Stream& stream) {
  FollowOptions options;
  options.cancelled = interrupted;
  Follower follower(stream.duplicate(), options);
  while (follower.wait(std::nullopt) == Arrival::arrived) {
  }
}

[[noreturn]] void hold_frames(const std::filesystem::path& program, const Stream& stream,
                              int ready) {
  const std::string directory = stream.path().parent_path().string();
  const std::string descriptor = fmt::format("{}", ::dup(ready));  // which the program inherits
  ::execl(program.c_str(), program.c_str(), "--dir", directory.c_str(), stream.name().c_str(),
          "--keep", "128MiB", "--on", "USR1", "--quiet", "--ready-fd", descriptor.c_str(),
          static_cast<char*>(nullptr));
  throw Error::system(program.string(), "cannot be started", errno);
}

void await_ready(Pipe& pipe) {
  pipe.writing = {};
  std::byte said{};
  if (::read(pipe.reading.get(), &said, 1) != 1) {
    throw_if_interrupted();
    throw Error(Problem::failed, "", "shmim-record ended before it was ready");
  }
}

void measure_frames_kept(const Bench& bench, std::uint64_t size) {
  const Temporary alone(bench.scratch, "alone", size, kept_slots);
  const Temporary waited(bench.scratch, "waited", size, kept_slots);
  const Temporary kept(bench.scratch, "kept", size, kept_slots);
  const std::filesystem::path recorder = sibling("record");
  const Peer waiter(bench.settings, [&] { wait_for_frames(waited.stream()); });
  Pipe pipe = make_pipe();
  const Peer keeper(bench.settings,
                    [&] { hold_frames(recorder, kept.stream(), pipe.writing.get()); });
  await_ready(pipe);
  const std::vector<std::byte> frame(size, std::byte{1});
  // Long enough for a frame to be taken before the next, as where a camera sets the pace.
  const auto pause = std::chrono::microseconds{500} + std::chrono::nanoseconds{size};
  const auto publish_to = [&](const Temporary& temporary) {
    return [&frame, pause, stream = temporary.stream()]() mutable {
      std::this_thread::sleep_for(pause);
      return timed([&] {
        WriteGuard guard(stream);
        guard.write(frame);
        guard.publish();
      });
    };
  };
  Case contest{"keep", bytes_text(size), {}, 200};
  contest.contenders.push_back({"publish, nobody follows", publish_to(alone)});
  contest.contenders.push_back({"publish, a reader wakes", publish_to(waited)});
  contest.contenders.push_back({"publish, shmim-record --keep", publish_to(kept)});
  waiter.await_sleep();
  for (std::uint32_t i = 0; i <= kept_slots; ++i) {
    for (const Contender& contender : contest.contenders) {
      contender.sample();  // the first time round the kernel maps the slots
    }
  }
  bench.run(contest);
}

}  // namespace

void measure_keep(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({128 << 10, 8 << 20})) {
    measure_frames_kept(bench, size);
  }
}

}  // namespace shmim::tools::bench
