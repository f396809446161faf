// What a caller can get wrong, and the compiler cannot see: each is an Error that says what was
// wrong, or is safe. What the compiler refuses is in compile/.

#include <array>
#include <utility>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Format cube() {
  Format format = Directory::small_format();
  format.shape = Shape{4, 3, 4};
  return format;
}

Error usage(const std::function<void()>& call) {
  Error error = error_of(call);
  CHECK(error.problem() == Problem::usage);
  CHECK(error.subject() == "cam");
  return error;
}

}  // namespace

TEST_CASE("a snapshot into too little room") {
  const Directory directory;
  const Stream stream = directory.make("cam");
  publish(stream, std::uint16_t{1});
  std::vector<std::byte> room(10);
  const Error error = usage([&] { static_cast<void>(stream.snapshot(room)); });
  CHECK(error.why() == "a frame has 24 bytes, and there is room for 10");
  usage([&] { static_cast<void>(stream.snapshot_once(room)); });
  CHECK(room == std::vector<std::byte>(10));
}

TEST_CASE("a frame of another size than the stream's") {
  const Directory directory;
  Stream stream = directory.make("cam");
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{25}}) {
    const std::vector<std::byte> frame(size);
    const Error error = usage([&] { WriteGuard(stream).write(frame); });
    CHECK(says(error, "a frame has 24 bytes, and " + std::to_string(size) + " were given"));
  }
  // Nothing was touched: the stream is as it was.
  CHECK_FALSE(stream.is_being_written());
  CHECK(stream.cnt0() == 0);
}

TEST_CASE("a plane of a stream that has none") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const Error error = usage([&] { static_cast<void>(WriteGuard(stream).plane(0)); });
  CHECK(error.why() == "has no z planes: its size is 4x3");
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("a plane that is not there") {
  const Directory directory;
  Stream stream = directory.make("cam", cube());
  const auto before = stream.keywords().all();
  const Error error = usage([&] { static_cast<void>(WriteGuard(stream).plane(9)); });
  CHECK(error.why() == "there is no plane 9: there are 0 to 3");
  usage([&] { static_cast<void>(WriteGuard(stream).plane(4)); });
  CHECK(stream.cnt1() == 0);
  CHECK(stream.keywords().all() == before);
  WriteGuard guard(stream);
  CHECK(guard.plane(3).size() == 24);
}

TEST_CASE("a stream that is moved while its guard lives") {
  const Directory directory;
  Stream stream = directory.make("cam");
  std::optional<Stream> elsewhere;
  WriteGuard guard(stream);
  elsewhere = std::move(stream);
  elsewhere.reset();
  guard.pixels()[0] = std::byte{7};
  CHECK(guard.publish() == 1);
}

TEST_CASE("a stream that has been moved from") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const Stream elsewhere = std::move(stream);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): what is tested
  CHECK(stream.name() == "cam");
  CHECK(publish(stream, std::uint16_t{1}) == 1);
  CHECK(elsewhere.cnt0() == 1);
}

TEST_CASE("views of a temporary") {
  const Directory directory;
  publish(directory.make("cam"), std::uint16_t{1});
  const auto path = directory.stream("cam");
  const Keywords keywords = Stream::open(path).keywords();
  const Semaphores semaphores = Stream::open(path).semaphores();
  const Trace trace = Stream::open(path).trace();
  const CircularBuffer buffer = Stream::open(path).circular_buffer();
  std::optional<SemaphoreClaim> claim(Stream::open(path).semaphores().claim());
  keywords.set({"A", std::int64_t{1}, ""});
  CHECK(keywords.all().size() == 1);
  CHECK(semaphores.value(0) == 1);
  CHECK(semaphores.reader(claim->index()) == this_process());
  CHECK(trace.entries().size() == 1);
  CHECK_FALSE(buffer.newest());
}

TEST_CASE("writing through a stream that is read-only") {
  const Directory directory;
  directory.make("cam");
  Stream stream = Stream::open(directory.stream("cam"), Access::read);
  const auto refused = [](const std::function<void()>& call) {
    const Error error = error_of(call);
    CHECK(error.problem() == Problem::not_ours_to_write);
    CHECK(error.subject() == "cam");
  };
  refused([&] { static_cast<void>(stream.unguarded_writable_pixels()); });
  refused([&] { WriteGuard guard(stream); });
  refused([&] { stream.keywords().set({"A", std::int64_t{1}, ""}); });
  refused([&] { stream.keywords().erase("A"); });
  refused([&] { stream.semaphores().post(SemaphoreSet::all()); });
  refused([&] { static_cast<void>(stream.semaphores().claim()); });
  refused([&] { static_cast<void>(stream.semaphores().wait(0, deadline_after({}))); });
  refused([&] { stream.semaphores().drain(0); });
  refused([&] { static_cast<void>(stream.claim_writing()); });
  refused([&] { stream.set_owner(1); });
}

TEST_CASE("a semaphore that is not there") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const Semaphores semaphores = stream.semaphores();
  CHECK(usage([&] { static_cast<void>(semaphores.value(99)); }).why() ==
        "there is no semaphore 99: the stream has 0 to 9");
  usage([&] { static_cast<void>(semaphores.reader(10)); });
  usage([&] { static_cast<void>(semaphores.poster(10)); });
  usage([&] { static_cast<void>(semaphores.control(10)); });
  usage([&] { static_cast<void>(semaphores.status(10)); });
  usage([&] { semaphores.drain(10); });
  usage([&] { static_cast<void>(semaphores.wait(10, Deadline{})); });
  WriteGuard guard(stream);
  CHECK(usage([&] { guard.publish(SemaphoreSet::only({77})); }).why() ==
        "there is no semaphore 77: the stream has 0 to 9");
  CHECK(stream.cnt0() == 0);
  CHECK(guard.publish() == 1);
}

TEST_CASE("a frame that is published twice") {
  const Directory directory;
  Stream stream = directory.make("cam");
  WriteGuard guard(stream);
  guard.publish();
  CHECK(usage([&] { guard.publish(); }).why() ==
        "this frame has been published or cancelled already");
  guard.cancel();
  CHECK(stream.cnt0() == 1);
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("a full table names the stream") {
  const Directory directory;
  Format format = Directory::small_format();
  format.keywords = 1;
  const Stream stream = directory.make("cam", format);
  stream.keywords().set({"A", std::int64_t{1}, ""});
  const Error error = error_of([&] { stream.keywords().set({"B", std::int64_t{1}, ""}); });
  CHECK(std::string(error.what()) == "cam: keyword 'B': all 1 slots are in use");
  CHECK(error.why() == "keyword 'B': all 1 slots are in use");
}

TEST_CASE("a writer beside one that has claimed to be the only one") {
  const Directory directory;
  Stream stream = directory.make("cam");
  std::array<int, 2> ready{};
  std::array<int, 2> stay{};
  REQUIRE(::pipe(ready.data()) == 0);
  REQUIRE(::pipe(stay.data()) == 0);
  const pid_t holder = in_child([&] {
    ::close(stay[1]);
    Stream own = Stream::open(directory.stream("cam"));
    const Claim claim = own.claim_writing();
    WriteGuard(own).publish();  // who holds the claim may write
    char byte = 0;
    static_cast<void>(::write(ready[1], "r", 1));
    static_cast<void>(::read(stay[0], &byte, 1));
  });
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  for (int i = 0; i < 2; ++i) {
    const Error error = error_of([&] { WriteGuard(stream).publish(); });
    CHECK(error.problem() == Problem::claimed);
    CHECK(says(error, "process " + std::to_string(holder)));
  }
  CHECK(stream.cnt0() == 1);
  CHECK_FALSE(stream.is_being_written());
  ::close(stay[1]);
  CHECK(reap(holder) == 0);
  CHECK(WriteGuard(stream).publish() == 2);
  for (const int descriptor : {ready[0], ready[1], stay[0]}) {
    ::close(descriptor);
  }
}

TEST_CASE("a writer that is at it when another process claims the stream is refused soon") {
  const Directory directory;
  Stream stream = directory.make("cam");
  WriteGuard(stream).publish();
  const auto claim = Stream::open(directory.stream("cam")).claim_writing();
  const pid_t writer = in_child([&] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::chrono::steady_clock::now() < until) {
      try {
        WriteGuard(stream).publish();
      } catch (const Error& error) {
        ::_exit(error.problem() == Problem::claimed ? 7 : 8);
      }
    }
  });
  CHECK(reap(writer) == 7);
}
