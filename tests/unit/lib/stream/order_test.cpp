// What the thread sanitizer can judge: threads that share one mapping, and hand a frame over by
// nothing but the accessors of the layout. Were one of them too weak, the plain accesses to the
// pixels would be a race. (Across processes, or two mappings of a file, it sees nothing:
// tests/faults looks there.)

#include <atomic>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

constexpr std::uint64_t rounds = 2'000;

/// A stream of one number, written by a thread of its own; `look` runs for each frame, while the
/// writer waits for it to return.
void hand_over(const std::function<void(const Stream&, std::uint64_t)>& look) {
  Format format;
  format.type = DataType::uint64;
  format.shape = Shape{1};
  Stream stream = Stream::local("order", format);
  auto* pixel = reinterpret_cast<std::uint64_t*>(stream.unguarded_writable_pixels().data());
  std::atomic<std::uint64_t> looked{0};
  std::thread writer([&] {
    for (std::uint64_t frame = 1; frame <= rounds; ++frame) {
      {
        WriteGuard guard(stream);
        *pixel = frame;
        guard.publish();
      }
      while (looked.load(std::memory_order_acquire) < frame) {
        std::this_thread::yield();
      }
    }
  });
  for (std::uint64_t frame = 1; frame <= rounds; ++frame) {
    look(stream, frame);
    looked.store(frame, std::memory_order_release);
  }
  writer.join();
}

std::uint64_t pixel_of(const Stream& stream) {
  return *reinterpret_cast<const std::uint64_t*>(stream.unguarded_pixels().data());
}

}  // namespace

TEST_CASE("whoever sees the new count sees the pixels") {
  std::uint64_t wrong = 0;
  hand_over([&](const Stream& stream, std::uint64_t frame) {
    while (stream.cnt0() < frame) {
      std::this_thread::yield();
    }
    wrong += pixel_of(stream) != frame ? 1 : 0;
  });
  CHECK(wrong == 0);
}

TEST_CASE("whoever is posted sees the count, no write flag, and the pixels") {
  std::uint64_t wrong = 0;
  hand_over([&](const Stream& stream, std::uint64_t frame) {
    static_cast<void>(stream.semaphores().wait(0, deadline_after(std::chrono::seconds{60})));
    wrong +=
        stream.cnt0() != frame || stream.is_being_written() || pixel_of(stream) != frame ? 1 : 0;
  });
  CHECK(wrong == 0);
}

TEST_CASE("whoever raises the write flag sees what the writer before wrote") {
  Format format;
  format.type = DataType::uint64;
  format.shape = Shape{1};
  Stream stream = Stream::local("turns", format);
  auto* pixel = reinterpret_cast<std::uint64_t*>(stream.unguarded_writable_pixels().data());
  const auto count = [&] {
    for (std::uint64_t frame = 0; frame < rounds / 4; ++frame) {
      WriteGuard guard(stream, deadline_after(std::chrono::seconds{60}));
      *pixel += 1;
      guard.publish();
    }
  };
  std::thread other(count);
  count();
  other.join();
  CHECK(*pixel == rounds / 2);
  CHECK(stream.cnt0() == rounds / 2);
}

TEST_CASE("whoever takes a semaphore over sees what its holder before did") {
  Stream stream = Stream::local("claims", Directory::small_format());
  std::uint64_t handed = 0;
  const auto take_turns = [&] {
    for (std::uint64_t turn = 0; turn < rounds / 10;) {
      try {
        const SemaphoreClaim claim = stream.semaphores().claim(3);
        ++handed;
        ++turn;
      } catch (const Error&) {
        std::this_thread::yield();
      }
    }
  };
  std::thread other(take_turns);
  take_turns();
  other.join();
  CHECK(handed == rounds / 5);
}
