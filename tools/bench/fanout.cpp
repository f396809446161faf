// What waking ten readers costs the writer. The floor is ten bare sem_posts to ten waiting
// processes.

#include <array>
#include <memory>

#include <semaphore.h>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"

namespace shmim::tools::bench {
namespace {

constexpr std::size_t readers = 10;

struct BareFanout {
  std::array<sem_t, readers> semaphores;
};

void wait_by_turns(sem_t& bare, const Stream& stream) {
  FollowOptions options;
  options.cancelled = interrupted;
  Follower follower(stream.duplicate(), options);
  do {
    while (sem_wait(&bare) != 0) {
    }
  } while (follower.wait(std::nullopt) == Arrival::arrived);
}

}  // namespace

void measure_fanout(const Bench& bench) {
  const Temporary temporary(bench.scratch, "fanout", 64);
  Stream stream = temporary.stream();
  const Shared<BareFanout> bare;
  std::vector<std::unique_ptr<Peer>> peers;
  for (sem_t& semaphore : bare->semaphores) {
    sem_init(&semaphore, 1, 0);
    peers.push_back(
        std::make_unique<Peer>(bench.settings, [&] { wait_by_turns(semaphore, stream); }));
  }
  const auto once_all_sleep = [&](const auto& post) {
    for (const auto& peer : peers) {
      peer->await_sleep();
    }
    return timed(post);
  };
  Case contest{"fanout", "10 readers asleep", {}, 200};
  contest.contenders.push_back({"ten bare sem_posts", [&] {
                                  return once_all_sleep([&] {
                                    for (sem_t& semaphore : bare->semaphores) {
                                      sem_post(&semaphore);
                                    }
                                  });
                                }});
  contest.contenders.push_back(
      {"publish", [&] { return once_all_sleep([&] { WriteGuard(stream).publish(); }); }});
  bench.run(contest);
}

}  // namespace shmim::tools::bench
