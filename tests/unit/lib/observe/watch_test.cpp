#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

std::vector<std::string> names_of(const Watcher& watcher) {
  std::vector<std::string> names;
  for (const Watched& watched : watcher.streams()) {
    names.push_back(watched.description.name);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("streams that appear, vanish and are made anew are noticed") {
  const Directory directory;
  directory.make("b");
  Watcher watcher(directory.path());
  watcher.look();
  CHECK(names_of(watcher) == Names{"b"});
  directory.make("c");
  directory.make("a");
  watcher.look();
  CHECK(names_of(watcher) == Names{"a", "b", "c"});
  std::filesystem::remove(directory.stream("b"));
  watcher.look();
  CHECK(names_of(watcher) == Names{"a", "c"});
  CHECK(watcher.stream("a") != nullptr);
  CHECK(watcher.stream("b") == nullptr);

  const Identity before = watcher.stream("c")->identity();
  Stream::draft(directory.path(), "c", Directory::small_format()).publish_over();
  watcher.look();
  CHECK(watcher.stream("c")->identity() != before);
  CHECK(watcher.streams()[1].recreated == 1);
  CHECK(watcher.streams()[0].recreated == 0);
}

TEST_CASE("a look finds the newest frame and the rate") {
  const Directory directory;
  Stream stream = directory.make("cam");
  Watcher watcher(directory.path());
  watcher.look();
  CHECK(*watcher.streams()[0].rate.hertz == 0);
  CHECK(watcher.streams()[0].description.header.cnt0 == 0);
  for (std::uint64_t frame = 1; frame <= 3; ++frame) {
    publish<std::uint16_t>(stream, 1);
    watcher.look();
    CHECK(watcher.streams()[0].description.header.cnt0 == frame);
    CHECK(watcher.streams()[0].description.written == stream.written());
  }
  CHECK(*watcher.streams()[0].rate.hertz > 0);
  CHECK_FALSE(watcher.streams()[0].rate.jitter);  // of three frames
}

TEST_CASE("patterns say which streams to watch") {
  const Directory directory;
  for (const char* name : {"cam1", "cam2", "dm", "wfs"}) {
    directory.make(name);
  }
  Watcher watcher(directory.path(), {"cam?", "d*", "cam1"});
  watcher.look();
  CHECK(names_of(watcher) == Names{"cam1", "cam2", "dm"});
}

TEST_CASE("files that are no streams are watched for becoming some") {
  const Directory directory;
  write_bytes(directory.stream("cam"), std::vector<std::byte>(7));
  Watcher watcher(directory.path());
  watcher.look();
  REQUIRE(watcher.streams().size() == 1);
  CHECK(watcher.streams()[0].description.unreadable->problem == Problem::too_short);
  CHECK(watcher.stream("cam") == nullptr);
  Stream::draft(directory.path(), "cam", Directory::small_format()).publish_over();
  watcher.look();
  CHECK_FALSE(watcher.streams()[0].description.unreadable);
  CHECK(watcher.stream("cam") != nullptr);
}

TEST_CASE("a directory that is not there, or goes") {
  CHECK(error_of([] { Watcher("/nowhere"); }).problem() == Problem::no_directory);
  auto directory = std::make_unique<Directory>();
  Watcher watcher(directory->path());
  directory.reset();
  CHECK(error_of([&] { watcher.look(); }).problem() == Problem::not_found);
}

TEST_CASE("frames of its trigger that a writer did not take") {
  const Directory directory;
  Stream in = directory.make("in");
  Stream out = directory.make("out");
  const auto step = [&](int frames) {
    for (int i = 0; i < frames; ++i) {
      publish<std::uint16_t>(in, 1);
    }
    const Trigger trigger = in.trigger(TriggerMode::cnt0);
    WriteGuard guard(out);
    guard.set_trigger(trigger);
    guard.publish();
  };
  ProcessTable processes;
  step(1);
  Watcher watcher(directory.path());
  watcher.look();
  CHECK(watcher.streams()[1].missed == 0);
  CHECK_FALSE(watcher.streams()[0].missed);
  step(1);
  step(4);
  // What is no counter and no time is looked at once a second.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (watcher.streams()[1].missed != 3 && std::chrono::steady_clock::now() < end) {
    watcher.look();
  }
  CHECK(watcher.streams()[1].missed == 3);
}

TEST_CASE("bytes per second: of a circular stream a frame is one slice") {
  Watched watched;
  watched.description.format = Directory::small_format();
  CHECK(*watched.bytes_per_second() == 0);
  watched.rate.hertz.reset();
  CHECK_FALSE(watched.bytes_per_second());
  watched.rate.hertz = 100;
  CHECK(*watched.bytes_per_second() == 2400);
  watched.description.format.shape = Shape{4, 3, 5};
  CHECK(*watched.bytes_per_second() == 12000);
  watched.description.format.image_type = layout::image_circular | layout::image_z_time;
  REQUIRE(watched.description.format.is_circular());
  CHECK(*watched.bytes_per_second() == 2400);
}

TEST_CASE("streams under observation have the names that their directory gives them") {
  const Directory directory;
  Stream cam = directory.make("cam");
  const Directory elsewhere;
  Stream far = elsewhere.make("far");
  std::filesystem::create_symlink("cam.im.shm", directory.stream("alias"));
  std::filesystem::create_symlink(elsewhere.stream("far"), directory.stream("near"));
  Watcher watcher(directory.path());
  watcher.look();
  const auto names = names_by_inode(watcher.streams());
  CHECK(names == names_by_inode(directory.path()));
  CHECK(names.at(cam.identity().inode) == "cam");
  CHECK(names.at(far.identity().inode) == "near");
}
