#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Deadline at_length() { return deadline_after(std::chrono::seconds{30}); }
Deadline at_once() { return deadline_after(std::chrono::milliseconds{5}); }

struct Three {
  Directory directory;
  std::vector<Stream> streams{directory.make("im1"), directory.make("im2"), directory.make("im3")};
};

}  // namespace

TEST_CASE("of several streams a frame is told of as it comes, and no other before it is resumed" *
          doctest::test_suite("threads")) {
  Three three;
  publish(three.streams[1], std::uint16_t{1});  // before: no news
  FollowerSet set(three.streams);
  CHECK(set.follower(2).describe_waiting() == "waits on semaphore 9");
  CHECK_FALSE(set.next(at_once()));
  publish(three.streams[1], std::uint16_t{1});
  auto event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->index == 1);
  CHECK(event->arrival == Arrival::arrived);
  CHECK(event->frame.info.cnt0 == 2);
  CHECK(event->frame.info.writetime == three.streams[1].written());
  CHECK(event->frame.semaphore == 9U);
  CHECK(event->frame.inode == three.streams[1].identity().inode);
  publish(three.streams[1], std::uint16_t{1});
  publish(three.streams[1], std::uint16_t{1});
  CHECK_FALSE(set.next(at_once()));
  publish(three.streams[0], std::uint16_t{1});
  event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->index == 0);
  set.resume(1);
  event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->index == 1);
  CHECK(event->frame.info.cnt0 == 4);
  CHECK(event->frame.missed == 1);
}

TEST_CASE("of several streams one that is removed or re-created is named, and the others go on" *
          doctest::test_suite("threads")) {
  Three three;
  FollowerSet set(three.streams);
  CHECK_FALSE(set.next(at_once()));
  CHECK(remove_stream(three.directory.stream("im3"), three.streams[2].identity()));
  auto event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->index == 2);
  CHECK(event->arrival == Arrival::removed);
  Format other = three.streams[0].format();
  other.type = DataType::float32;
  Stream::draft(three.directory.path(), "im1", other).publish_over();
  event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->arrival == Arrival::recreated);
  CHECK(set.follower(0).difference() == "type is float32, not uint16");
  Stream same = Stream::draft(three.directory.path(), "im2", three.streams[1].format());
  same.publish_over();
  publish(same, std::uint16_t{1});
  event = set.next(at_length());
  REQUIRE(event);
  CHECK(event->index == 1);
  CHECK(event->frame.info.cnt0 == 1);
  CHECK(event->frame.inode == same.identity().inode);
}

TEST_CASE("a set of followers ends while it waits, and gives back its semaphores" *
          doctest::test_suite("threads")) {
  Three three;
  {
    FollowerSet set(three.streams);
    CHECK_FALSE(set.next(at_once()));
    CHECK(three.streams[0].semaphores().reader(9) == ::getpid());
  }
  CHECK(three.streams[0].semaphores().reader(9) == 0);
  CHECK(three.streams[0].semaphores().poster(9) == -1);  // what ended the wait was no post
  FollowOptions watching;
  watching.passive = true;
  FollowerSet passive(three.streams, watching);
  CHECK_FALSE(passive.next(at_once()));
  CHECK(three.streams[0].semaphores().reader(9) == 0);
  publish(three.streams[2], std::uint16_t{1});
  CHECK(passive.next(at_length())->index == 2);
}

TEST_CASE("a set of followers tells that it is cancelled, and throws what ends a wait" *
          doctest::test_suite("threads")) {
  Three three;
  FollowOptions options;
  options.cancelled = [] { return true; };
  FollowerSet cancelled(three.streams, options);
  CHECK(cancelled.next(at_length())->arrival == Arrival::interrupted);
  FollowerSet set(three.streams);
  std::filesystem::resize_file(three.directory.stream("im2"), 100);
  CHECK(error_of([&] { static_cast<void>(set.next(at_length())); }).problem() ==
        Problem::wrong_size);
}
