#include <chrono>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Description described(const std::filesystem::path& path) {
  ProcessTable processes;
  return describe(path, processes);
}

}  // namespace

TEST_CASE("a stream is described with all that its header holds") {
  const Directory directory;
  Format format = Directory::small_format();
  format.semaphores = 3;
  Stream stream = directory.make("cam", format);
  stream.keywords().set({"EXPTIME", 0.5, "[s]"});
  stream.set_owner(1);
  publish<std::uint16_t>(stream, 7);
  const auto claim = stream.semaphores().claim(1);
  for (int i = 0; i < 12; ++i) {
    stream.semaphores().post(SemaphoreSet::only({2}));
  }

  const Description cam = described(directory.stream("cam"));
  CHECK_FALSE(cam.unreadable);
  CHECK(cam.name == "cam");
  CHECK_FALSE(cam.target);
  CHECK(cam.identity == stream.identity());
  CHECK(cam.file_bytes == stream.file_bytes());
  CHECK(cam.format == format);
  CHECK(cam.state == FrameState::whole);
  CHECK(cam.header.cnt0 == 1);
  CHECK(cam.header.inode == stream.identity().inode);
  CHECK(cam.header.imdatamemsize == format.bytes());
  CHECK(std::string(cam.header.name.data()) == "cam");
  CHECK(cam.written == stream.written());
  CHECK(cam.creator.pid == this_process());
  CHECK(cam.creator.liveness == Liveness::alive);
  CHECK(cam.header.owner_pid == 1);
  CHECK(cam.owner.pid == 0);  // it belongs to no process, though there is one of that number
  CHECK(cam.writer.pid == this_process());
  CHECK(cam.writer.command == command_of(this_process()));
  CHECK(cam.claimer.pid == 0);
  CHECK(cam.keywords == stream.keywords().all());
  CHECK(cam.trace.size() == 1);

  REQUIRE(cam.semaphores.size() == 3);
  CHECK(cam.semaphores[0].value == 1);
  CHECK(cam.semaphores[0].reader.pid == 0);
  CHECK(cam.semaphores[0].poster.pid == this_process());
  CHECK(cam.semaphores[1].reader.pid == this_process());
  CHECK(cam.semaphores[1].status == layout::connected_as(::getpid()));
  CHECK(cam.semaphores[2].saturated);
  CHECK(cam.saturated() == 1);
  CHECK(cam.readers().size() == 1);
  CHECK(cam.log_semaphore == 1);
}

TEST_CASE("times have an age once they are set") {
  const Directory directory;
  Stream stream = directory.make("cam");
  Description cam = described(directory.stream("cam"));
  CHECK_FALSE(cam.age(cam.written));
  publish<std::uint16_t>(stream, 7);
  cam = described(directory.stream("cam"));
  REQUIRE(cam.age(cam.written));
  CHECK(*cam.age(cam.written) >= std::chrono::nanoseconds{0});
  CHECK(*cam.age(cam.created()) >= *cam.age(cam.written));
  const std::chrono::nanoseconds age = *cam.age(cam.written);
  std::this_thread::sleep_for(std::chrono::milliseconds{1});
  CHECK(*cam.age(cam.written) == age);
}

TEST_CASE("a claimed stream names its only writer") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const auto claim = stream.claim_writing();
  CHECK(described(directory.stream("cam")).claimer.pid == this_process());
}

TEST_CASE("the writer is the newest of trace and semaphores, dead ones too") {
  if (!knows_who_died()) {
    return;
  }
  const Directory directory;
  Stream stream = directory.make("cam");
  const pid_t dead = in_child([] {});
  reap(dead);
  {
    WriteGuard guard(stream);
    guard.set_pid(dead);
    guard.publish();
  }
  Description cam = described(directory.stream("cam"));
  CHECK(cam.writer.pid == dead);
  CHECK(cam.writer.is_dead());
  CHECK(cam.writer.command.empty());

  // A program that writes no trace comes after: it leaves its PID with the semaphores.
  auto bytes = bytes_of(directory.stream("cam"));
  layout::Metadata header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.writetime.seconds += 100;
  std::memcpy(bytes.data(), &header, sizeof header);
  write_bytes(directory.stream("cam"), bytes);
  cam = described(directory.stream("cam"));
  CHECK(cam.writer.pid == this_process());
}

TEST_CASE("who is in the middle of a frame is its writer, and so is one that gave up there") {
  const Directory directory;
  Stream stream = directory.make("cam");
  const pid_t dead = in_child([] {});
  reap(dead);
  {
    WriteGuard guard(stream);
    guard.set_pid(dead);
    guard.publish();
  }
  {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{1};
    const Description begun = described(directory.stream("cam"));
    CHECK(begun.writer.pid == this_process());
    REQUIRE(begun.trace.size() == 1);
    CHECK(begun.trace.front().writing == Writing::begun);
  }
  const Description given_up = described(directory.stream("cam"));
  CHECK(given_up.state == FrameState::unfinished);
  CHECK(given_up.writer.pid == this_process());
  CHECK_FALSE(given_up.writer.is_dead());
  REQUIRE(given_up.trace.size() == 1);
  CHECK(given_up.trace.front().pid == this_process());
  CHECK(given_up.trace.front().writing == Writing::given_up);
}

TEST_CASE("links say where they lead") {
  const Directory directory;
  Stream stream = directory.make("cam");
  std::filesystem::create_symlink("cam.im.shm", directory.stream("alias"));
  std::filesystem::create_symlink("none.im.shm", directory.stream("dangling"));
  const Description alias = described(directory.stream("alias"));
  CHECK(alias.name == "alias");
  CHECK(alias.target == "cam.im.shm");
  CHECK_FALSE(alias.unreadable);
  CHECK(alias.identity == stream.identity());
  const Description dangling = described(directory.stream("dangling"));
  CHECK(dangling.target == "none.im.shm");
  CHECK(dangling.is_dangling());
  CHECK(dangling.unreadable->why == "is a link to none.im.shm, which is not there");
}

TEST_CASE("what is not a readable stream is described by the reason") {
  const Directory directory;
  const auto write = [&](const char* name, std::string_view text) {
    write_bytes(directory.stream(name), std::as_bytes(std::span(text)));
    return described(directory.stream(name));
  };
  CHECK(described(directory.stream("none")).unreadable->problem == Problem::not_found);
  const Description garbage = write("garbage", "garbage");
  CHECK(garbage.unreadable->problem == Problem::too_short);
  CHECK(garbage.unreadable->why == "has 7 bytes, fewer than the 384 of a header: no stream (yet)");
  CHECK(garbage.file_bytes == 7);
  CHECK(write("empty", "").unreadable->problem == Problem::too_short);
  CHECK(write("zeros", std::string(500, '\0')).unreadable->problem == Problem::no_version);
  CHECK(write("other", "1.00" + std::string(500, '\0')).unreadable->problem ==
        Problem::other_version);
  CHECK(write("dao", "dao_stream" + std::string(500, '\0')).unreadable->problem ==
        Problem::dao_layout);
}

TEST_CASE("looking at a stream alters no byte of it") {
  const Directory directory;
  Stream stream = directory.make("cam");
  publish<std::uint16_t>(stream, 7);
  const auto before = bytes_of(directory.stream("cam"));
  described(directory.stream("cam"));
  CHECK(bytes_of(directory.stream("cam")) == before);
}

TEST_CASE("the clock of the stamps is told by 37 seconds") {
  using std::chrono::seconds;
  const Tai file{seconds{1'700'000'000}};
  CHECK(clock_of(file + seconds{37}, file, seconds{37}) == StampClock::tai);
  CHECK(clock_of(file + seconds{37} - std::chrono::milliseconds{900}, file, seconds{37}) ==
        StampClock::tai);
  CHECK(clock_of(file, file, seconds{37}) == StampClock::utc);
  CHECK(clock_of(file + seconds{20}, file, seconds{37}) == StampClock::unknown);
  CHECK(clock_of(file, file, seconds{0}) == StampClock::same);
  CHECK(to_utc(never, StampClock::utc) == "never");
  CHECK(to_utc(file, StampClock::utc) == "2023-11-14T22:13:20.000000000Z");
}

TEST_CASE("one look at all processes finds the holders of many files") {
  const Directory directory;
  Stream cam = directory.make("cam");
  directory.make("dm");
  const std::vector files{cam.identity(), *identity_of(directory.stream("dm"))};
  HolderTable table(files);
  const auto holds = [&](Identity file) {
    const auto processes = table.holders_of(file).processes;
    return std::count(processes.begin(), processes.end(), this_process());
  };
  CHECK(holds(files[0]) == 1);
  CHECK(holds(files[1]) == 0);
  CHECK(table.removed().empty());
}

TEST_CASE("a stream that lost its name is known by it as long as somebody has it") {
  const Directory directory;
  directory.make("cam");
  Stream reader = Stream::open(directory.stream("cam"), Access::read);
  std::filesystem::remove(directory.stream("cam"));
  const HolderTable table({});
  const auto& removed = table.removed();
  const auto found =
      std::find_if(removed.begin(), removed.end(), [&](const HolderTable::Removed& candidate) {
        return candidate.identity == reader.identity();
      });
  REQUIRE(found != removed.end());
  CHECK(found->path == directory.stream("cam"));
}
