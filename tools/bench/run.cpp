// From a frame to the answer of a program that copies it. The floor is a loop by hand: two
// semaphores, two pipes and memcpy, around the same program.

#include <cstring>
#include <utility>

#include <semaphore.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/pipe.hpp"

namespace shmim::tools::bench {
namespace {

constexpr const char* copying = "/bin/cat";

struct BareUnit {
  sem_t asked;
  sem_t answered;
};

/// A thousand frames a second: between two of them the processors have time to doze off.
void wait_for_next() {
  sleep_until(std::chrono::steady_clock::now() + std::chrono::milliseconds{1});
}

void wait_on(sem_t& semaphore) {
  while (sem_wait(&semaphore) != 0) {
    throw_if_interrupted();
  }
}

/// The program with its input and output at the other ends of two pipes: what is left of them.
Pipe start_copying() {
  Pipe to = make_pipe();
  Pipe from = make_pipe();
  if (::fork() == 0) {
    ::dup2(to.reading.get(), STDIN_FILENO);
    ::dup2(from.writing.get(), STDOUT_FILENO);
    ::execl(copying, copying, nullptr);
    std::_Exit(127);
  }
  return {std::move(from.reading), std::move(to.writing)};
}

void answer_by_hand(BareUnit& unit, std::span<const std::byte> in, std::span<std::byte> out) {
  const Pipe copying_program = start_copying();
  std::vector<std::byte> frame(in.size());
  while (true) {
    wait_on(unit.asked);
    std::memcpy(frame.data(), in.data(), in.size());
    static_cast<void>(write_all(copying_program.writing.get(), frame));
    for (std::size_t done = 0; done < frame.size();) {
      done += read_some(copying_program.reading.get(), std::span(frame).subspan(done), copying);
    }
    std::memcpy(out.data(), frame.data(), out.size());
    sem_post(&unit.answered);
  }
}

/// Frames of one stream that shmim-run answers in another.
class Answered {
 public:
  Answered(const Bench& bench, std::uint64_t size)
      : in_(bench.scratch, "asked", size),
        out_(bench.scratch, "answered", size),
        frame_(size, std::byte{1}),
        follower_(out_.stream().duplicate()) {
    const std::string program = sibling("run").string();
    const std::string dir = bench.scratch.path().string();
    peer_.emplace(bench.settings, [&] {
      ::execl(program.c_str(), program.c_str(), "-q", "--dir", dir.c_str(), "asked", "answered",
              "--", copying, nullptr);
    });
    const Semaphores semaphores = in_.stream().semaphores();
    while (semaphores.reader(semaphores.count() - 1) <= 0) {  // until it follows
      throw_if_interrupted();
    }
  }

  [[nodiscard]] double sample() {
    wait_for_next();
    peer_->await_sleep();
    return timed([&] {
      WriteGuard guard(in_.stream());
      guard.write(frame_);
      guard.publish();
      if (follower_.wait(deadline_after(std::chrono::seconds{10})) != Arrival::arrived) {
        throw Error(Problem::failed, "answered", "shmim-run does not answer");
      }
    });
  }

 private:
  Temporary in_;
  Temporary out_;
  std::vector<std::byte> frame_;
  Follower follower_;
  std::optional<Peer> peer_;
};

void measure_answer(const Bench& bench, std::uint64_t size) {
  const Shared<BareUnit> unit;
  sem_init(&unit->asked, 1, 0);
  sem_init(&unit->answered, 1, 0);
  auto* const memory = static_cast<std::byte*>(map_shared(2 * size));
  const std::span<std::byte> in(memory, size);
  const std::span<std::byte> out(memory + size, size);
  std::vector<std::byte> frame(size, std::byte{1});
  {
    const Peer by_hand(bench.settings, [&] { answer_by_hand(*unit, in, out); });
    Answered ours(bench, size);
    Case contest{"run", fmt::format("frames of {}", bytes_text(size)), {}, 500};
    contest.contenders.push_back({"a loop by hand, with two pipes", [&] {
                                    wait_for_next();
                                    by_hand.await_sleep();
                                    return timed([&] {
                                      std::memcpy(in.data(), frame.data(), size);
                                      sem_post(&unit->asked);
                                      wait_on(unit->answered);
                                    });
                                  }});
    contest.contenders.push_back({"shmim-run", [&] { return ours.sample(); }});
    bench.run(contest);
  }
  unmap_shared(memory, 2 * size);
}

}  // namespace

void measure_run(const Bench& bench) {
  for (const std::uint64_t size : bench.sizes_or({400, 16 << 10})) {
    measure_answer(bench, size);
  }
}

}  // namespace shmim::tools::bench
