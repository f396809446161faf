#include <atomic>
#include <set>
#include <thread>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// Stands for a FITS file, so that the search order is tested without one.
class FakeImage final : public ImageFile {
 public:
  FakeImage() { keywords_.push_back({"GAIN", 2.5, "from the file"}); }
  [[nodiscard]] Format format() const override { return Directory::small_format(); }
  [[nodiscard]] const std::vector<Keyword>& keywords() const override { return keywords_; }
  [[nodiscard]] const std::vector<std::string>& unfit_keywords() const override { return unfit_; }
  void read(std::span<std::byte> pixels) override {
    std::fill(pixels.begin(), pixels.end(), std::byte{3});
  }

 private:
  std::vector<Keyword> keywords_;
  std::vector<std::string> unfit_{"LONG (why)"};
};

/// An shm and a conf directory, and files in it that "hold" a FakeImage.
class World {
 public:
  World() {
    std::filesystem::create_directory(directory.path() / "conf");
    search_path = directory.search_path();
    search_path.open_image = [this](const std::string& file) {
      opened = file;
      return std::make_unique<FakeImage>();
    };
  }
  void add_fits(const std::string& name) const {
    write_bytes(directory.path() / "conf" / ("shmim." + name + ".fits"), std::vector<std::byte>(1));
  }
  Directory directory;
  SearchPath search_path;
  std::string opened;
};

CreateOptions creation(const Format& format) { return {format, {}, {}}; }

}  // namespace

TEST_CASE("shared memory is looked at first, then the FITS file, then the named one") {
  World world;
  const Reference reference = parse_reference("im1");
  CHECK(connect(reference, world.search_path).outcome == Outcome::not_found);

  std::ofstream(world.search_path.conf / "shmim.im1.fname.txt") << "  some/where.fits \nignored\n";
  SearchResult found = find(reference, world.search_path);
  CHECK(found.origin == Origin::conf_name);
  CHECK(found.file == "some/where.fits");

  world.add_fits("im1");
  found = find(reference, world.search_path);
  CHECK(found.origin == Origin::conf_fits);

  const Connection loaded = connect(reference, world.search_path);
  CHECK(loaded.outcome == Outcome::created);
  CHECK(loaded.origin == Origin::conf_fits);
  CHECK(world.opened == (world.search_path.conf / "shmim.im1.fits").string());
  CHECK(loaded.unfit_keywords == std::vector<std::string>{"LONG (why)"});
  CHECK(loaded.stream->cnt0() == 1);
  CHECK(loaded.stream->unguarded_pixels()[5] == std::byte{3});
  CHECK(std::get<double>(loaded.stream->keywords().find("GAIN")->value) == 2.5);
  CHECK(loaded.stream->semaphores().value(0) == 0);

  world.opened.clear();
  const Connection again = connect(reference, world.search_path);
  CHECK(again.outcome == Outcome::connected);
  CHECK(again.origin == Origin::shared_memory);
  CHECK(world.opened.empty());
}

TEST_CASE("a name file without a name says so") {
  const World world;
  std::ofstream(world.search_path.conf / "shmim.im1.fname.txt") << " \n";
  CHECK(says(error_of([&] { return find(parse_reference("im1"), world.search_path); }),
             "its first line is to name a FITS file, and is empty"));
}

TEST_CASE("local memory comes before shared memory, and is this process's own") {
  World world;
  world.directory.make("local1");
  world.add_fits("local1");
  const Connection local = connect(parse_reference("@L:local1"), world.search_path);
  CHECK(local.outcome == Outcome::created);
  CHECK(local.stream->path().empty());
  CHECK(connect(parse_reference("local1"), world.search_path).origin == Origin::local_memory);
  CHECK(connect(parse_reference("@S:local1"), world.search_path).origin == Origin::shared_memory);
  publish(*local.stream, std::uint16_t{8});
  CHECK(open_existing(parse_reference("@L:local1"), world.search_path).cnt0() == 2);
  CHECK(open_existing(parse_reference("@S:local1"), world.search_path).cnt0() == 0);
  CHECK(list_streams(world.directory.path()) == std::vector<std::string>{"local1"});
}

TEST_CASE("what differs is a mismatch, named, and left alone") {
  const World world;
  const Stream stream = world.directory.make("im1");
  const Connection connection = connect(parse_reference("tf32>im1"), world.search_path);
  CHECK(connection.outcome == Outcome::mismatch);
  CHECK(to_string(connection.differences) == "type is uint16, not float32");
  CHECK(stream.is_current());
  const Error error =
      error_of([&] { return open_existing(parse_reference("tf32>im1"), world.search_path); });
  CHECK(error.problem() == Problem::mismatch);
  Requirement both;
  both.type = DataType::int8;
  CHECK(error_of([&] {
          static_cast<void>(connect_checked(parse_reference("tf32>im1"), both, world.search_path));
        }).problem() == Problem::usage);
}

TEST_CASE("connecting or creating: missing is made, different is made anew, same is found") {
  const World world;
  const Reference reference = parse_reference("im1");
  Format format = Directory::small_format();
  CHECK(connect_or_create(reference, requirement_of(format), creation(format), world.search_path)
            .outcome == Outcome::created);
  CHECK(connect_or_create(reference, requirement_of(format), creation(format), world.search_path)
            .outcome == Outcome::connected);
  format.type = DataType::float64;
  const Connection anew =
      connect_or_create(reference, requirement_of(format), creation(format), world.search_path);
  CHECK(anew.outcome == Outcome::recreated);
  CHECK(to_string(anew.differences) == "type is uint16, not float64");
  CHECK(open_existing(reference, world.search_path).format() == format);
  format.type = DataType::int8;
  CHECK(create_if_missing(reference, requirement_of(format), creation(format), world.search_path)
            .outcome == Outcome::mismatch);
}

TEST_CASE("new streams must not exist, and existing ones must") {
  World world;
  const Format format = Directory::small_format();
  static_cast<void>(create(parse_reference("@N:im1"), creation(format), world.search_path));
  const Error error = error_of(
      [&] { return create(parse_reference("@N:im1"), creation(format), world.search_path); });
  CHECK(error.problem() == Problem::exists);
  CHECK(error_of([&] { return connect(parse_reference("@N:im1"), world.search_path); }).problem() ==
        Problem::exists);
  CHECK(connect_or_create(parse_reference("@E:im2"), requirement_of(format), creation(format),
                          world.search_path)
            .outcome == Outcome::not_found);
  CHECK(error_of([&] {
          return open_existing(parse_reference("im2"), world.search_path);
        }).problem() == Problem::not_found);
}

TEST_CASE("a stream is whole before anybody can see it") {
  const World world;
  CreateOptions creation{Directory::small_format(), {}, {}};
  creation.prepare = [&](Stream& draft) {
    CHECK(list_streams(world.directory.path()).empty());
    draft.unguarded_writable_pixels()[0] = std::byte{1};
  };
  static_cast<void>(create(parse_reference("im1"), creation, world.search_path));
  const Stream first = open_existing(parse_reference("im1"), world.search_path);
  CHECK(first.unguarded_pixels()[0] == std::byte{1});
}

TEST_CASE("a creator that fails leaves nothing") {
  const World world;
  CreateOptions creation{Directory::small_format(), {}, {}};
  creation.prepare = [](Stream&) { throw Error(Problem::failed, "", "no"); };
  CHECK(error_of([&] {
          return create(parse_reference("im1"), creation, world.search_path);
        }).problem() == Problem::failed);
  CHECK(list_streams(world.directory.path()).empty());
}

TEST_CASE("a frame is loaded into a stream that others see") {
  const World world;
  Stream stream = world.directory.make("im1");
  FakeImage image;
  CHECK(load_frame(image, stream) == std::vector<std::string>{"LONG (why)"});
  CHECK(stream.cnt0() == 1);
  CHECK(stream.semaphores().value(0) == 1);
  CHECK(stream.unguarded_pixels()[0] == std::byte{3});
}

TEST_CASE("of many creators at once one makes it, and the others find it" *
          doctest::test_suite("threads")) {
  const World world;
  const Reference reference = parse_reference("im1");
  const Format format = Directory::small_format();
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> created{0};
    std::atomic<int> connected{0};
    std::vector<std::thread> creators;
    creators.reserve(8);
    for (int i = 0; i < 8; ++i) {
      creators.emplace_back([&] {
        const Connection connection = connect_or_create(reference, requirement_of(format),
                                                        creation(format), world.search_path);
        (connection.outcome == Outcome::created ? created : connected) += 1;
      });
    }
    for (std::thread& creator : creators) {
      creator.join();
    }
    CHECK(created == 1);
    CHECK(connected == 7);
    std::filesystem::remove(world.directory.stream("im1"));
  }
}

TEST_CASE("await gives a stream that is there at once, and begins no waiting") {
  const World world;
  static_cast<void>(
      create(parse_reference("im1"), creation(Directory::small_format()), world.search_path));
  bool has_begun = false;
  AwaitOptions options;
  options.begun = [&] { has_begun = true; };
  const Connection connection = await(parse_reference("im1"), {}, world.search_path, options);
  CHECK(connection.outcome == Outcome::connected);
  CHECK_FALSE(has_begun);
}

TEST_CASE("await waits for a stream that appears, and says once that it waits") {
  const World world;
  unsigned begun = 0;
  AwaitOptions options;
  options.deadline = deadline_after(std::chrono::seconds{20});
  options.begun = [&] {
    ++begun;
    static_cast<void>(
        create(parse_reference("im1"), creation(Directory::small_format()), world.search_path));
  };
  const Connection connection = await(parse_reference("im1"), {}, world.search_path, options);
  CHECK(connection.outcome == Outcome::connected);
  CHECK(begun == 1);
}

TEST_CASE("await ends without a stream by its deadline, and when it is cancelled") {
  const World world;
  AwaitOptions late;
  late.deadline = deadline_after(std::chrono::nanoseconds{0});
  CHECK(await(parse_reference("im1"), {}, world.search_path, late).outcome == Outcome::not_found);
  AwaitOptions cancelled;
  cancelled.cancelled = [] { return true; };
  CHECK(await(parse_reference("im1"), {}, world.search_path, cancelled).outcome ==
        Outcome::not_found);
}
