#include <cstring>
#include <filesystem>
#include <limits>

#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <shmim/recording.hpp>

#include "support/unit.hpp"

// What astropy and NumPy find in recordings is in tests/cli/record.bats.

namespace shmim::test {
namespace {

RecordedStream recorded(DataType type = DataType::uint16, const Shape& shape = Shape({5, 3})) {
  RecordedStream stream;
  stream.name = "cam";
  stream.type = type;
  stream.shape = shape;
  stream.keywords = {{"EXPTIME", 0.5, "[s]"}, {"OBSERVER", std::string("ann"), ""}};
  return stream;
}

FrameInfo numbered(std::uint64_t cnt0) {
  FrameInfo info;
  info.cnt0 = cnt0;
  info.writetime = Tai{std::chrono::nanoseconds{1'700'000'000'000'000'000 +
                                                static_cast<std::int64_t>(cnt0) * 1'000'000}};
  return info;
}

std::vector<std::byte> pixels_of(const RecordedStream& stream, unsigned frame) {
  std::vector<std::byte> pixels(stream.frame_bytes());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::byte>(i * 7 + frame * 31);
  }
  return pixels;
}

void write_frames(RecordingWriter& writer, const RecordedStream& stream, unsigned first,
                  unsigned last) {
  for (unsigned frame = first; frame <= last; ++frame) {
    writer.write(numbered(frame), 0, stream.keywords, pixels_of(stream, frame));
  }
}

/// The cube of a recording is that of these frames, bit by bit.
void check_cube(const std::filesystem::path& file, const RecordedStream& stream, unsigned first,
                unsigned last) {
  const auto images = open_fits_images(file.string());
  REQUIRE(images.size() == 1);
  const Format format = images[0]->format();
  std::vector<std::uint32_t> axes;
  for (std::size_t axis = 0; axis < stream.shape.axes(); ++axis) {
    axes.push_back(stream.shape[axis]);
  }
  axes.push_back(last - first + 1);
  CHECK(format.type == stream.type);
  REQUIRE(format.shape == Shape(axes));
  std::vector<std::byte> cube(format.bytes());
  images[0]->read(cube);
  for (unsigned frame = first; frame <= last; ++frame) {
    const std::vector<std::byte> wanted = pixels_of(stream, frame);
    CAPTURE(frame);
    CHECK(std::memcmp(&cube[(frame - first) * wanted.size()], wanted.data(), wanted.size()) == 0);
  }
}

std::string problem_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a recording is a cube of its frames, in every exact type") {
  const Directory directory;
  for (const DataType type :
       {DataType::uint8, DataType::int8, DataType::uint16, DataType::int16, DataType::uint32,
        DataType::int32, DataType::uint64, DataType::int64, DataType::float32, DataType::float64}) {
    for (const DirectIo direct : {DirectIo::if_possible, DirectIo::off}) {
      CAPTURE(to_string(type));
      const RecordedStream stream = recorded(type);
      const auto file =
          directory.path() / fmt::format("{}{}.fits", to_string(type), static_cast<int>(direct));
      RecordingWriter writer(file, stream, {.direct = direct});
      write_frames(writer, stream, 1, 7);
      CHECK_FALSE(std::filesystem::exists(file));
      CHECK(is_unfinished(file));
      writer.finish();
      CHECK_FALSE(is_unfinished(file));
      CHECK(writer.frames() == 7);
      check_cube(file, stream, 1, 7);
    }
  }
}

TEST_CASE("frames larger than what is written at once") {
  const Directory directory;
  const RecordedStream stream = recorded(DataType::uint32, Shape({1500, 1000}));
  const auto file = directory.path() / "large.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 3);
  writer.finish();
  check_cube(file, stream, 1, 3);
}

TEST_CASE("what is left of a recorder that is gone is repaired") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  {
    RecordingWriter writer(file, stream);
    write_frames(writer, stream, 1, 4);
    writer.flush();
    write_frames(writer, stream, 5, 5);  // which the system never sees
    CHECK(problem_of([&] { repair_recording(file); }) == file.string() + ": is being recorded");
  }
  CHECK(problem_of([&] { RecordingWriter(file, stream); }) ==
        file.string() + ": is being recorded, or was left unfinished by a recorder that is gone");
  CHECK(recording_name(directory.path() / ".cam.fits.part") == file);
  CHECK(recording_name(directory.path() / ".cam.fits.times") == file);
  CHECK(recording_name(file) == file);
  SUBCASE("by its name") { CHECK(repair_recording(file) == 4); }
  SUBCASE("by the name of what is left") {
    CHECK(repair_recording(directory.path() / ".cam.fits.part") == 4);
  }
  SUBCASE("with the end of its journal cut off") {
    const auto journal = directory.path() / ".cam.fits.times";
    std::filesystem::resize_file(journal, std::filesystem::file_size(journal) - 3);
    CHECK(repair_recording(file) == 3);
  }
  SUBCASE("with the end of its pixels cut off") {
    const auto pixels = directory.path() / ".cam.fits.part";
    std::filesystem::resize_file(pixels, 3 * 2880 + 2 * stream.frame_bytes() + 1);
    CHECK(repair_recording(file) == 2);
  }
  check_cube(file, stream, 1, static_cast<unsigned>(open_fits(file.string())->format().shape[2]));
  CHECK_FALSE(is_unfinished(file));
  CHECK(problem_of([&] { repair_recording(file); }) ==
        file.string() + ": is whole: there is nothing to repair");
}

TEST_CASE("no file is overwritten unless that is asked for") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  write_bytes(file, pixels_of(stream, 0));
  CHECK(problem_of([&] { RecordingWriter(file, stream); }) == file.string() + ": exists");
  RecordingWriter writer(file, stream, {.replaces = true});
  write_frames(writer, stream, 1, 2);
  writer.finish();
  check_cube(file, stream, 1, 2);

  const auto other = directory.path() / "other.fits";
  RecordingWriter late(other, stream);
  write_frames(late, stream, 1, 2);
  write_bytes(other, pixels_of(stream, 0));
  CHECK(problem_of([&] { late.finish(); }) ==
        fmt::format("{}: was made by others meanwhile; the recording is {}", other.string(),
                    (directory.path() / ".other.fits.part").string()));
  CHECK(std::filesystem::file_size(other) == stream.frame_bytes());
  std::filesystem::remove(other);
  CHECK(problem_of([&] { repair_recording(other); }) == other.string() + ": is being recorded");
  late.finish();
  check_cube(other, stream, 1, 2);
}

TEST_CASE("a recording is discarded") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 2);
  writer.discard();
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(problem_of([&] { repair_recording(file); }) ==
        file.string() + ": no recording of that name was left");
}

TEST_CASE("what cannot be recorded") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  const RecordedStream stream = recorded();
  RecordingWriter writer(file, stream);
  CHECK(problem_of([&] {
          writer.write(numbered(1), 0, {}, pixels_of(recorded(DataType::uint8), 1));
        }) == file.string() + ": 15 bytes given for a frame of 30");
  CHECK(problem_of([&] { RecordingWriter(directory.path() / "none", RecordedStream{}); }) ==
        (directory.path() / "none").string() + ": a frame of no pixels cannot be recorded");
}

}  // namespace shmim::test
