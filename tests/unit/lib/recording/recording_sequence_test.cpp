#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include <shmim/recording.hpp>

#include "shmim/error.hpp"
#include "support/unit.hpp"

namespace shmim::test::sequences {
namespace {

RecordedStream stream_of(DataType type) {
  RecordedStream stream;
  stream.name = "cam";
  stream.type = type;
  stream.shape = Shape({300, 200});
  return stream;
}

std::vector<std::byte> frame(const RecordedStream& stream, std::uint8_t number) {
  return std::vector<std::byte>(stream.frame_bytes(), std::byte{number});
}

struct Written {
  std::vector<std::byte> bytes;
  WriteBytes write = [this](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  };
};

void add(RecordingSequence& sequence, const RecordedStream& stream, std::uint8_t number) {
  FrameInfo info;
  info.cnt0 = number;
  sequence.write(info, number, {{"GAIN", std::int64_t{number}, ""}}, frame(stream, number));
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

TEST_CASE("a sequence is a recording, byte after byte") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  const RecordedStream stream = stream_of(DataType::float16);
  Written written;
  RecordingSequence sequence(stream, 3, written.write);
  for (const std::uint8_t number : std::vector<std::uint8_t>{1, 2, 3}) {
    add(sequence, stream, number);
    CHECK(sequence.frames() == number);
    CHECK(sequence.bytes() == written.bytes.size());
  }
  CHECK(problem_of([&] { add(sequence, stream, 4); }) == "cam: has its 3 frames");
  const std::vector<std::byte> header = sequence.finish();
  for (const bool is_at_the_end : {false, true}) {
    if (is_at_the_end) {
      std::ranges::copy(header, written.bytes.begin());
    }
    write_bytes(file, written.bytes);
    const Recording recording(file);
    CHECK(recording.stream().type == DataType::float16);
    REQUIRE(recording.frames() == 3);
    std::vector<std::byte> pixels(stream.frame_bytes());
    recording.read(1, pixels);
    CHECK(pixels == frame(stream, 2));
    const RecordedFrame row = recording.frame(2);
    CHECK(row.info.cnt0 == 3);
    CHECK(row.missed == 3);
    CHECK(row.keywords == std::vector<Keyword>{{"GAIN", std::int64_t{3}, ""}});
  }
}

TEST_CASE("a sequence with fewer frames than there were to be is made whole by its header") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  const RecordedStream stream = stream_of(DataType::uint8);
  Written written;
  RecordingSequence sequence(stream, 9, written.write);
  CHECK(sequence.finish().empty());
  CHECK(written.bytes.empty());
  add(sequence, stream, 1);
  add(sequence, stream, 2);
  CHECK(problem_of([&] { sequence.write({}, 0, {}, {}); }) ==
        "cam: 0 bytes given for a frame of 60000");
  std::ranges::copy(sequence.finish(), written.bytes.begin());
  write_bytes(file, written.bytes);
  CHECK(Recording(file).frames() == 2);
}

}  // namespace shmim::test::sequences
