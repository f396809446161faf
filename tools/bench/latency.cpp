// From a post to whoever waits for it, in another process. The floor of a reader that sleeps is a
// raw futex; of one that spins, a counter in shared memory.

#include <atomic>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "common/app/tool.hpp"

namespace shmim::tools::bench {
namespace {

struct Mailbox {
  alignas(64) std::atomic<std::uint32_t> word;     ///< what the floor waits on
  alignas(64) std::atomic<std::uint64_t> waiting;  ///< how often the peer was about to wait
  alignas(64) std::atomic<std::uint64_t> woken;    ///< how often it came back
  std::atomic<std::int64_t> woken_at;
};

std::int64_t moment() noexcept { return Clock::now().time_since_epoch().count(); }

void say_woken(Mailbox& box) noexcept {
  box.woken_at.store(moment(), std::memory_order_relaxed);
  box.woken.fetch_add(1, std::memory_order_release);
}

/// What the peer does: it waits by the floor's means and by ours, by turns.
void wait_by_turns(Mailbox& box, const Stream& stream, std::chrono::nanoseconds spin) {
  FollowOptions options;
  options.spin = spin;
  options.cancelled = interrupted;
  Follower follower(stream.duplicate(), options);
  for (std::uint32_t seen = 0;; ++seen) {
    box.waiting.fetch_add(1, std::memory_order_release);
    if (spin.count() == 0) {
      futex_wait(box.word, seen);
    }
    while (box.word.load(std::memory_order_acquire) == seen) {
    }
    say_woken(box);
    box.waiting.fetch_add(1, std::memory_order_release);
    if (follower.wait(std::nullopt) != Arrival::arrived) {
      return;
    }
    say_woken(box);
  }
}

/// Nanoseconds from `post` to the peer's being back, once it waits.
template <class Post>
double from_post_to_wake(Mailbox& box, const Peer& peer, bool spins, const Post& post) {
  const std::uint64_t before = box.woken.load(std::memory_order_acquire);
  while (box.waiting.load(std::memory_order_acquire) == before) {
    throw_if_interrupted();
  }
  if (spins) {
    const auto settled = Clock::now() + std::chrono::microseconds{5};
    while (Clock::now() < settled) {
    }
  } else {
    peer.await_sleep();
  }
  const std::int64_t begin = moment();
  post();
  while (box.woken.load(std::memory_order_acquire) == before) {
    throw_if_interrupted();
  }
  return static_cast<double>(box.woken_at.load(std::memory_order_relaxed) - begin);
}

void measure_reader(const Bench& bench, const char* name, std::chrono::nanoseconds spin) {
  const Temporary temporary(bench.scratch, "latency", 64);
  Stream stream = temporary.stream();
  const Shared<Mailbox> box;
  const bool spins = spin.count() > 0;
  const Peer peer(bench.settings, [&] { wait_by_turns(*box, stream, spin); });
  Case contest{"latency", name, {}, spins ? 2000U : 500U};
  contest.contenders.push_back({spins ? "a counter, stored and spun on" : "raw futex", [&] {
                                  return from_post_to_wake(*box, peer, spins, [&] {
                                    box->word.fetch_add(1, std::memory_order_release);
                                    if (!spins) {
                                      futex_wake(box->word);
                                    }
                                  });
                                }});
  contest.contenders.push_back({spins ? "publish, Follower that spins" : "publish, Follower", [&] {
                                  return from_post_to_wake(*box, peer, spins,
                                                           [&] { WriteGuard(stream).publish(); });
                                }});
  bench.run(contest);
}

}  // namespace

void measure_latency(const Bench& bench) {
  measure_reader(bench, "reader asleep", std::chrono::nanoseconds{0});
  measure_reader(bench, "reader spins", std::chrono::hours{1});
}

}  // namespace shmim::tools::bench
