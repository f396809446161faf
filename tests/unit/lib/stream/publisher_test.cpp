#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

std::vector<std::byte> pixels_of(const Stream& stream) {
  std::vector<std::byte> pixels(stream.format().bytes());
  stream.require_whole(stream.snapshot(pixels));
  return pixels;
}

}  // namespace

TEST_CASE("a publisher publishes whole frames, and updates without pixels") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  Publisher publisher(stream.duplicate());
  CHECK(publisher.type() == DataType::uint16);
  CHECK(publisher.frame_shape() == Shape{4, 3});
  const auto frame = frame_of<std::uint16_t>(stream, 7);
  CHECK(publisher.publish(frame) == 1);
  CHECK(publisher.publish({}) == 2);
  CHECK(pixels_of(stream) == frame);
}

TEST_CASE("a frame of another size is refused, and the stream left as it was") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  Publisher publisher(stream.duplicate());
  const Error error =
      error_of([&] { publisher.publish(std::vector<std::byte>(stream.format().bytes() - 1)); });
  CHECK(error.problem() == Problem::usage);
  CHECK(says(error, "im1: a frame of 23 bytes: it has 24"));
  CHECK(stream.cnt0() == 0);
  CHECK_FALSE(stream.is_being_written());
}

TEST_CASE("lost frames are counted with the one behind them") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  Publisher publisher(stream.duplicate());
  Follower follower(stream.duplicate());
  const auto frame = frame_of<std::uint16_t>(stream, 7);
  CHECK(publisher.publish(frame) == 1);
  publisher.set_lost(3);
  CHECK(publisher.publish(frame) == 5);
  CHECK(publisher.publish(frame) == 6);
  publisher.set_lost(UINT64_MAX);
  const Error error = error_of([&] { publisher.publish(frame); });
  CHECK(error.problem() == Problem::failed);
  CHECK(says(error, "im1: cannot count 18446744073709551615 lost frames after frame 6"));
  CHECK_FALSE(stream.is_being_written());
  CHECK(publisher.publish(frame) == 7);
}

TEST_CASE("a publisher of a slice writes that part alone") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  PublishOptions options;
  options.slice = parse_slice("0,0");
  Publisher publisher(stream.duplicate(), std::move(options));
  CHECK(publisher.frame_shape() == Shape{1, 1});
  publisher.publish(std::vector<std::byte>(2, std::byte{1}));
  std::vector<std::byte> expected(stream.format().bytes());
  expected[0] = expected[1] = std::byte{1};
  CHECK(pixels_of(stream) == expected);
}

TEST_CASE("what does not fit a stream is refused before anything is published") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const auto refused = [&](const PublishOptions& options) {
    return error_of([&] { const Publisher publisher(stream.duplicate(), options); });
  };
  PublishOptions plane;
  plane.plane = 0;
  CHECK(says(refused(plane), "im1: has no z planes: its size is 4x3"));
  PublishOptions mean;
  mean.slice = parse_slice("0:1::2b");
  CHECK(says(refused(mean), "im1: a slice that averages cannot be written"));
  PublishOptions semaphore;
  semaphore.posts = SemaphoreSet::only({77});
  CHECK(says(refused(semaphore), "im1: there is no semaphore 77: the stream has 0 to 9"));
  PublishOptions keyword;
  keyword.keywords = {{std::string(17, 'x'), std::int64_t{1}, ""}};
  CHECK(says(refused(keyword), "name of 17 bytes, at most 16 fit"));
  CHECK(stream.cnt0() == 0);
}

TEST_CASE("a publisher goes on with a stream that is re-created alike, keywords and all") {
  const Directory directory;
  const Stream before = directory.make("im1");
  PublishOptions options;
  options.keywords = {{"EXPTIME", 0.5, ""}};
  Publisher publisher(before.duplicate(), std::move(options));
  publisher.publish(frame_of<std::uint16_t>(before, 1));
  Stream after = Stream::draft(directory.path(), "im1", Directory::small_format());
  after.publish_over();
  CHECK(publisher.publish(frame_of<std::uint16_t>(after, 2)) == 1);
  CHECK(pixels_of(after) == frame_of<std::uint16_t>(after, 2));
  CHECK(*after.keywords().find("EXPTIME") == Keyword{"EXPTIME", 0.5, ""});
  CHECK(before.cnt0() == 1);
}

TEST_CASE("a publisher ends with a stream that is removed, or re-created with another format") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  Publisher publisher(stream.duplicate());
  const auto frame = frame_of<std::uint16_t>(stream, 1);
  Format wider = Directory::small_format();
  wider.shape = Shape{5, 3};
  Stream other = Stream::draft(directory.path(), "im1", wider);
  other.publish_over();
  const Error mismatch = error_of([&] { publisher.publish(frame); });
  CHECK(mismatch.problem() == Problem::mismatch);
  CHECK(says(mismatch, "im1: was re-created with another format: size is 5x3, not 4x3"));
  CHECK(remove_stream(other.path(), other.identity()));
  CHECK(error_of([&] { publisher.publish(frame); }).problem() == Problem::removed);
}

TEST_CASE("a publisher respects another process's claim, and holds its own") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  PublishOptions options;
  options.claim = true;
  Publisher holder(stream.duplicate(), options);
  CHECK(holder.publish({}) == 1);
  const pid_t child = in_child([&] {
    try {
      const Publisher second(Stream::open(directory.stream("im1")));
      ::_exit(1);
    } catch (const Error& error) {
      ::_exit(error.problem() == Problem::claimed ? 0 : 2);
    }
  });
  CHECK(reap(child) == 0);
}

TEST_CASE("keywords that come with each frame keep a comment that somebody else gave them") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  PublishOptions options;
  options.keywords = {{"A", std::int64_t{1}, ""}};
  Publisher publisher(stream.duplicate(), std::move(options));
  publisher.publish({});
  stream.keywords().set({"A", std::int64_t{5}, "by another"});
  publisher.publish({});
  CHECK(*stream.keywords().find("A") == Keyword{"A", std::int64_t{1}, "by another"});
  CHECK(stream.keywords().erase("A"));
  publisher.publish({});
  CHECK(stream.keywords().find("A").has_value());
}
