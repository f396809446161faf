#include <complex>
#include <numeric>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

static_assert(data_type_of<std::uint16_t>() == DataType::uint16);
static_assert(data_type_of<std::int64_t>() == DataType::int64);
static_assert(data_type_of<char>().has_value());
static_assert(data_type_of<std::complex<double>>() == DataType::complex128);
static_assert(data_type_of<Float16>() == DataType::float16);
static_assert(!Element<bool>);
static_assert(!Element<long double>);

FramesOptions short_wait() {
  FramesOptions options;
  options.timeout = std::chrono::milliseconds{5};
  return options;
}

std::vector<std::uint16_t> ramp(std::size_t elements) {
  std::vector<std::uint16_t> pixels(elements);
  std::iota(pixels.begin(), pixels.end(), std::uint16_t{0});
  return pixels;
}

}  // namespace

TEST_CASE("a stream is opened by reference") {
  const Directory directory;
  directory.make("cam");
  CHECK(open("cam", directory.search_path()).name() == "cam");
  CHECK(open("tui16>cam", directory.search_path()).format().type == DataType::uint16);
  CHECK(error_of([&] { return open("tf32>cam", directory.search_path()); }).problem() ==
        Problem::mismatch);
  CHECK(error_of([&] { return open("none", directory.search_path()); }).problem() ==
        Problem::not_found);
  CHECK(error_of([&] { return open("cam[0:1]", directory.search_path()); }).problem() ==
        Problem::usage);
}

TEST_CASE("a stream of another shape is not taken for the one that is asked for") {
  const Directory directory;
  const Stream stream = directory.make("cam");
  Format wanted = stream.format();
  wanted.shape = Shape{wanted.shape[0] + 1};
  const Error error =
      error_of([&] { return detail::open_or_create("cam", wanted, directory.search_path()); });
  CHECK(error.problem() == Problem::mismatch);
  CHECK(says(error, "cam: size is " + to_string(stream.format().shape)));
  CHECK(detail::open_or_create("cam", stream.format(), directory.search_path()).identity() ==
        stream.identity());
}

TEST_CASE("elements of another type are refused at opening") {
  const Directory directory;
  const Stream stream = directory.make("cam");
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { Image<float> image(stream); }, [&] { Frames<float> frames(stream); },
           [&] { Writer<float> writer(stream); }}) {
    const Error error = error_of(call);
    CHECK(error.problem() == Problem::mismatch);
    CHECK(std::string(error.what()) == "cam: type is uint16, not float32");
  }
}

TEST_CASE("an image is read with its elements, counters and times") {
  const Directory directory;
  const Stream stream = directory.make("cam");
  Writer<std::uint16_t> writer(stream);
  CHECK(writer.write(ramp(12)) == 1);
  const Frame<std::uint16_t> frame = Image<std::uint16_t>(stream).read();
  CHECK(frame.shape() == Shape{4, 3});
  CHECK(frame.size() == 12);
  CHECK(frame.cnt0() == 1);
  CHECK(frame.written() == stream.written());
  CHECK(frame(3) == 3);
  CHECK(frame(1, 2) == 9);
  CHECK(error_of([&] { return frame(4, 0); }).problem() == Problem::usage);
  CHECK(error_of([&] { return frame(0, 3); }).problem() == Problem::usage);
  CHECK(says(error_of([&] { return frame(0, 0, 1); }), "(0, 0, 1) is outside of a frame of 4x3"));
}

TEST_CASE("a writer refuses frames of another size, none among them") {
  const Directory directory;
  Writer<std::uint16_t> writer(directory.make("cam"));
  CHECK(says(error_of([&] { return writer.write(ramp(11)); }),
             "cam: a frame of 4x3 has 12 elements, and 11 were given"));
  CHECK(error_of([&] { return writer.write({}); }).problem() == Problem::usage);
  CHECK(writer.stream().cnt0() == 0);
}

TEST_CASE("the range of frames ends, and says why") {
  const Directory directory;
  Format format = Directory::small_format();
  format.circular_buffer = 8;
  const Stream stream = directory.make("cam", format);
  Writer<std::uint16_t> writer(stream);
  Frames<std::uint16_t> frames(stream, short_wait());
  for (int i = 0; i < 3; ++i) {
    writer.write(ramp(12));
  }
  std::uint64_t expected = 0;
  for (const auto& frame : frames) {
    CHECK(frame.cnt0() == ++expected);
    CHECK(frame.missed() == 0);
    CHECK(frame(2, 1) == 6);
    CHECK(frames.ended() == Arrival::arrived);
  }
  CHECK(expected == 3);
  CHECK(frames.ended() == Arrival::timed_out);
  REQUIRE(remove_stream(directory.stream("cam"), stream.identity()));
  for (const auto& frame : frames) {
    FAIL("a frame of a stream that is gone: ", frame.cnt0());
  }
  CHECK(frames.ended() == Arrival::removed);
}

TEST_CASE("what is made of a frame says so in its trace") {
  const Directory directory;
  const Stream cam = directory.make("cam");
  Writer<std::uint16_t> camera(cam);
  Writer<std::uint16_t> out(directory.make("out"));
  Frames<std::uint16_t> frames(cam, short_wait());
  camera.write(ramp(12));
  for (const auto& frame : frames) {
    out.write(frame.pixels(), frame.trigger());
  }
  const auto steps = out.stream().trace().entries();
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].trigger_inode == cam.identity().inode);
  CHECK(steps[0].cnt0 == 1);
  out.write(ramp(12));
  CHECK(out.stream().trace().newest()->trigger_inode == 0);
}

TEST_CASE("keywords as values of a type") {
  const Directory directory;
  const Keywords keywords = directory.make("cam").keywords();
  keywords.set({"COUNT", std::int64_t{300}, ""});
  keywords.set({"EXPTIME", 2.5, ""});
  keywords.set({"SHUTTER", std::string("open"), ""});
  CHECK(keywords.get<double>("EXPTIME") == 2.5);
  CHECK(keywords.get<double>("COUNT") == 300);
  CHECK(keywords.get<int>("COUNT") == 300);
  CHECK(keywords.get<std::string>("SHUTTER") == "open");
  CHECK_FALSE(keywords.get<double>("NONE"));
  CHECK(error_of([&] { return keywords.get<int>("EXPTIME"); }).problem() == Problem::mismatch);
  CHECK(error_of([&] { return keywords.get<std::uint8_t>("COUNT"); }).problem() ==
        Problem::mismatch);
  CHECK(says(error_of([&] { return keywords.get<double>("SHUTTER"); }),
             "cam: keyword 'SHUTTER' is open, which is not of the type asked for"));
  CHECK(keywords.wait("SHUTTER", "open", std::chrono::seconds{0}));
  CHECK_FALSE(keywords.wait("SHUTTER", "shut", std::chrono::milliseconds{1}));
}

TEST_CASE("the streams of a directory by pattern and type") {
  const Directory directory;
  Format real = Directory::small_format();
  real.type = DataType::float32;
  directory.make("cam1");
  directory.make("cam2", real);
  directory.make("dm", real);
  write_bytes(directory.stream("cam3"), std::as_bytes(std::span(std::string_view("junk"))));
  const auto names = [&](std::string_view pattern) {
    std::string text;
    for (const Description& stream : streams(pattern, directory.path())) {
      text += stream.name + " ";
    }
    return text;
  };
  CHECK(names("*") == "cam1 cam2 dm ");
  CHECK(names("cam*") == "cam1 cam2 ");
  CHECK(names("tf32>*") == "cam2 dm ");
  CHECK(names("none*").empty());
}
