#include <array>
#include <climits>
#include <csignal>
#include <set>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// The words of a stream that programs outside the library write as they like.
class Words {
 public:
  explicit Words(const Stream& stream)
      : segment_(Segment::open(stream.path(), Access::read_write)),
        regions_(*layout::lay_out(geometry_of(stream.format()))) {}
  [[nodiscard]] pid_t& reader(unsigned index) const {
    return reinterpret_cast<pid_t*>(segment_.data() + regions_.read_pid)[index];
  }
  /// Where glibc keeps the number of posts.
  [[nodiscard]] std::uint32_t& posts(unsigned index) const {
    return *reinterpret_cast<std::uint32_t*>(segment_.data() + regions_.semaphores +
                                             index * sizeof(sem_t));
  }

  /// Where it keeps whether processes share it.
  [[nodiscard]] std::uint32_t& sharing(unsigned index) const { return (&posts(index))[2]; }

 private:
  Segment segment_;
  layout::Regions regions_;
};

}  // namespace

TEST_CASE("posts reach all, some, or all but some, and stop at ten") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Semaphores semaphores = stream.semaphores();
  REQUIRE(semaphores.count() == 10);
  semaphores.post(SemaphoreSet::all());
  semaphores.post(SemaphoreSet::only({2, 3}));
  semaphores.post(SemaphoreSet::all_but({2, 4}));
  CHECK(semaphores.value(0) == 2);
  CHECK(semaphores.value(2) == 2);
  CHECK(semaphores.value(3) == 3);
  CHECK(semaphores.value(4) == 1);
  CHECK(semaphores.log_value() == 2);
  CHECK(semaphores.poster(0) == ::getpid());
  for (int i = 0; i < 20; ++i) {
    semaphores.post(SemaphoreSet::all());
  }
  CHECK(semaphores.value(0) == layout::semaphore_max);
  CHECK(semaphores.log_value() == layout::semaphore_max);
  const Error error = error_of([&] { semaphores.post(SemaphoreSet::only({10})); });
  CHECK(error.problem() == Problem::usage);
  CHECK(says(error, "there is no semaphore 10: the stream has 0 to 9"));
}

TEST_CASE("a damaged semaphore, which would end the process, is neither waited on nor posted") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Words words(stream);
  const Semaphores semaphores = stream.semaphores();
  words.sharing(9) = 12345;
  (&words.posts(9))[1] = 1;  // somebody waits
  semaphores.post(SemaphoreSet::all());
  CHECK(semaphores.value(9) == 0);
  CHECK(semaphores.value(8) == 1);
  CHECK(semaphores.claim().index() == 8);
  CHECK(says(error_of([&] { static_cast<void>(semaphores.claim(9)); }),
             "semaphore 9 is claimed by nobody, but damaged"));
  CHECK(says(error_of([&] {
               static_cast<void>(semaphores.wait(9, deadline_after(std::chrono::seconds{1})));
             }),
             "semaphore 9 is damaged"));
  // Damaged after it was claimed: as good as no post.
  const SemaphoreClaim claim = semaphores.claim();
  words.sharing(claim.index()) = 1;
  CHECK(claim.wait(deadline_after(std::chrono::milliseconds{3})) == WaitResult::timed_out);
  // Where all are, a follower watches cnt0.
  for (unsigned index = 0; index < 10; ++index) {
    words.sharing(index) = 77;
  }
  Follower follower(stream);
  CHECK_FALSE(follower.semaphore());
  publish(stream, std::uint16_t{1});
  CHECK(follower.wait(deadline_after(std::chrono::seconds{10})) == Arrival::arrived);
}

TEST_CASE("a reader that may not write can use no semaphore") {
  const Directory directory;
  directory.make("im1");
  const Stream stream = Stream::open(directory.stream("im1"), Access::read);
  CHECK(error_of([&] { stream.semaphores().post(SemaphoreSet::all()); }).problem() ==
        Problem::not_ours_to_write);
  CHECK(error_of([&] { static_cast<void>(stream.semaphores().claim()); }).problem() ==
        Problem::not_ours_to_write);
}

TEST_CASE("claims are distinct, say who holds them, and are given back") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Semaphores semaphores = stream.semaphores();
  {
    std::vector<SemaphoreClaim> claims;
    std::set<unsigned> indices;
    for (int i = 0; i < 10; ++i) {
      claims.push_back(semaphores.claim());
      indices.insert(claims.back().index());
    }
    CHECK(indices.size() == 10);
    CHECK(semaphores.reader(3) == ::getpid());
    CHECK(semaphores.status(3) == layout::connected_as(::getpid()));
    CHECK_FALSE(semaphores.try_claim());
    const Error full = error_of([&] { static_cast<void>(semaphores.claim()); });
    CHECK(full.problem() == Problem::claimed);
    CHECK(says(full, "all 10 semaphores are claimed, by process " + std::to_string(::getpid())));
    const Error taken = error_of([&] { static_cast<void>(semaphores.claim(3)); });
    CHECK(says(taken, "semaphore 3 is claimed by process " + std::to_string(::getpid())));
  }
  CHECK(semaphores.reader(3) == 0);
  CHECK(semaphores.status(3) == 0);
  CHECK(semaphores.claim(3).index() == 3);
  CHECK(error_of([&] { static_cast<void>(semaphores.claim(10)); }).problem() == Problem::usage);
}

TEST_CASE("a dead reader's semaphore is taken over") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 1;
  const Stream stream = directory.make("im1", format);
  const pid_t child = in_child([&] {
    const SemaphoreClaim claim = stream.semaphores().claim();
    ::_exit(7);
  });
  CHECK(reap(child) == 7);
  CHECK(stream.semaphores().reader(0) == child);
  CHECK(stream.semaphores().claim().index() == 0);
}

TEST_CASE("semaphores are claimed from the last to the first") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const SemaphoreClaim first = stream.semaphores().claim();
  const SemaphoreClaim second = stream.semaphores().claim();
  CHECK(first.index() == 9);
  CHECK(second.index() == 8);
}

TEST_CASE("a semaphore that somebody sleeps on is not claimed, though nobody has claimed it") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 2;
  const Stream stream = directory.make("im1", format);
  const pid_t child = in_child([&] {
    // As a program that takes a semaphore by its number: no PID, no status.
    ::_exit(stream.semaphores().wait(1, std::nullopt) == WaitResult::posted ? 0 : 1);
  });
  std::optional<SemaphoreClaim> claim;
  while (!claim || claim->index() != 0) {
    claim.reset();
    std::this_thread::yield();
    claim.emplace(stream.semaphores().claim());
  }
  CHECK_FALSE(stream.semaphores().try_claim());
  stream.semaphores().post(SemaphoreSet::only({1}));
  CHECK(reap(child) == 0);
  CHECK(stream.semaphores().claim().index() == 1);
}

TEST_CASE("the PID of a process that is another by now holds nothing") {
  if (!knows_who_died()) {
    return;
  }
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Words words(stream);
  const pid_t another = in_child([] { ::execlp("sleep", "sleep", "60", nullptr); });
  while (command_of(another) != "sleep") {  // it lives, and has not got this stream
    std::this_thread::yield();
  }
  for (unsigned index = 0; index < 10; ++index) {
    words.reader(index) = another;
  }
  CHECK(stream.semaphores().claim().index() == 9);
  ::kill(another, SIGKILL);
  reap(another);
}

TEST_CASE("a program of the C library that has the stream keeps what it has claimed") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 1;
  const Stream stream = directory.make("im1", format);
  const Words words(stream);
  words.reader(0) = ::getpid();  // as the C library claims: no lock
  CHECK_FALSE(stream.semaphores().try_claim());
  CHECK(says(error_of([&] { static_cast<void>(stream.semaphores().claim(0)); }),
             "semaphore 0 is claimed by process " + std::to_string(::getpid())));
}

TEST_CASE("millions of posts are taken in one step") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const SemaphoreClaim claim = stream.semaphores().claim(3);
  const Words words(stream);
  words.posts(3) = SEM_VALUE_MAX;
  CHECK(claim.drain() == SEM_VALUE_MAX);
  CHECK(stream.semaphores().value(3) == 0);
  FollowOptions options;
  options.semaphore = 4;
  Follower follower(stream, options);
  words.posts(4) = SEM_VALUE_MAX;
  CHECK(follower.wait(deadline_after(std::chrono::milliseconds{20})) == Arrival::timed_out);
  words.posts(4) = SEM_VALUE_MAX;
  publish(stream, std::uint16_t{1});
  CHECK(follower.wait(deadline_after(std::chrono::seconds{30})) == Arrival::arrived);
  CHECK(follower.seen() == 1);
}

TEST_CASE("a stream without semaphores says so") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 0;
  const Stream stream = directory.make("im1", format);
  CHECK(says(error_of([&] { static_cast<void>(stream.semaphores().claim()); }),
             "the stream has no semaphores"));
  CHECK(says(error_of([&] { stream.semaphores().post(SemaphoreSet::only({0})); }),
             "there is no semaphore 0: the stream has none"));
  CHECK(publish(stream, std::uint16_t{1}) == 1);
}

TEST_CASE("waiting takes a post, times out, and drains") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Semaphores semaphores = stream.semaphores();
  SemaphoreClaim claim = semaphores.claim();
  CHECK(claim.wait(deadline_after(std::chrono::milliseconds{1})) == WaitResult::timed_out);
  CHECK((semaphores.status(claim.index()) & layout::status_timed_out) != 0);
  semaphores.post(SemaphoreSet::all());
  semaphores.post(SemaphoreSet::all());
  CHECK(claim.wait(std::nullopt) == WaitResult::posted);
  CHECK((semaphores.status(claim.index()) & layout::status_timed_out) == 0);
  CHECK(claim.drain() == 1);
  CHECK(claim.drain() == 0);
}

TEST_CASE("a post wakes a waiter in another process") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const pid_t child = in_child([&] {
    SemaphoreClaim claim = stream.semaphores().claim(4);
    ::_exit(claim.wait(deadline_after(std::chrono::seconds{30})) == WaitResult::posted ? 0 : 1);
  });
  while ((stream.semaphores().status(4) & layout::status_waiting) == 0) {
    std::this_thread::yield();
  }
  stream.semaphores().post(SemaphoreSet::only({4}));
  CHECK(reap(child) == 0);
}

TEST_CASE("a process claims one by its PID, as programs of the C library do") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Semaphores semaphores = stream.semaphores();
  const Words words(stream);
  CHECK(semaphores.claim_for_process(4) == 4U);
  CHECK(words.reader(4) == ::getpid());
  CHECK(semaphores.status(4) == 0);
  SUBCASE("and keeps it, whatever else it wishes") {
    CHECK(semaphores.claim_for_process(2) == 4U);
    CHECK(stream.duplicate().semaphores().claim_for_process(-1) == 4U);
  }
  SUBCASE("none that others have, nor one that we have with a lock") {
    words.reader(4) = 0;
    const SemaphoreClaim locked = semaphores.claim(0);
    CHECK(semaphores.claim_for_process(0) == 1U);
    const pid_t child = in_child(
        [&] { ::_exit(stream.duplicate().semaphores().claim_for_process(1) == 2U ? 0 : 1); });
    CHECK(reap(child) == 0);
    if (knows_who_died()) {  // who is dead has none
      words.reader(1) = 0;
      CHECK(semaphores.claim_for_process(2) == 2U);
    }
  }
  SUBCASE("no claim of ours takes it, and it is not woken for less than a frame") {
    CHECK(error_of([&] { static_cast<void>(semaphores.claim(4)); }).problem() == Problem::claimed);
    semaphores.wake_readers();
    CHECK(semaphores.value(4) == 0);
  }
  SUBCASE("none where all are taken") {
    std::vector<SemaphoreClaim> claims;
    for (unsigned index = 0; index < semaphores.count(); ++index) {
      words.reader(index) = 0;
      claims.push_back(semaphores.claim(index));
    }
    CHECK(semaphores.claim_for_process(4) == std::nullopt);
  }
}

TEST_CASE("of a claim by PID and one of ours at once, one is made") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 1;
  const Stream stream = directory.make("im1", format);
  const Words words(stream);
  for (int round = 0; round < 100; ++round) {
    words.reader(0) = 0;
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    const auto say = [&pipe](bool is_claimed) {
      const char byte = is_claimed ? 1 : 0;
      ::_exit(::write(pipe[1], &byte, 1) == 1 && ::pause() == 0 ? 0 : 1);
    };
    const pid_t ours = in_child([&] {
      const auto claim = stream.duplicate().semaphores().try_claim();
      say(claim.has_value());
    });
    const pid_t theirs =
        in_child([&] { say(stream.duplicate().semaphores().claim_for_process(0).has_value()); });
    int claims = 0;
    for (int answers = 0; answers < 2; ++answers) {
      char byte = 0;
      REQUIRE(::read(pipe[0], &byte, 1) == 1);
      claims += byte;
    }
    for (const pid_t child : {ours, theirs}) {
      ::kill(child, SIGKILL);
      reap(child);
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
    REQUIRE(claims == 1);
  }
}
