#include <cstring>
#include <limits>
#include <numbers>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <shmim/frames.hpp>

#include "frames/cbor.hpp"
#include "support/unit.hpp"

namespace shmim {
namespace {

using test::error_of;

/// Gives a text in pieces of so many bytes.
FrameReader reader_of(std::string text, std::size_t piece = SIZE_MAX) {
  return {"frames", [text = std::move(text), piece](std::span<std::byte> room) mutable {
            const std::size_t size = std::min({room.size(), piece, text.size()});
            std::memcpy(room.data(), text.data(), size);
            text.erase(0, size);
            return size;
          }};
}

FrameRecord full_record() {
  FrameRecord frame;
  frame.name = "cam";
  frame.type = DataType::uint16;
  frame.shape = Shape{4, 3};
  frame.image_type = layout::image_circular | layout::image_z_time;
  frame.info.cnt0 = UINT64_MAX;
  frame.info.cnt1 = 7;
  frame.info.atime = Tai(std::chrono::nanoseconds{1'795'312'406'123'456'789});
  frame.info.writetime = Tai(std::chrono::nanoseconds{-5});
  frame.missed = 3;
  frame.keywords = {{"GAIN", std::int64_t{-4}, "dB"},
                    {"EXPTIME", 0.1, ""},
                    {"WHOLE", 5.0, "a real number that is whole"},
                    {"NEVER", std::numeric_limits<double>::infinity(), ""},
                    {"FILTER", std::string("H"), std::string("\xff not UTF-8")}};
  frame.trace = {{17, Writing::done, 99, TriggerMode::semaphore, TriggerStatus::received, 3, 12,
                  Tai(std::chrono::nanoseconds{5}), Tai(std::chrono::nanoseconds{9})},
                 {18, Writing::given_up, 0, TriggerMode::immediate, TriggerStatus::none, -1, 0,
                  never, std::nullopt}};
  frame.inode = 4711;
  frame.boot = "a-boot";
  return frame;
}

std::string pixels_of(const FrameRecord& frame) {
  std::string pixels;
  for (std::uint64_t i = 0; i < frame.bytes(); ++i) {
    pixels += static_cast<char>(i * 7);
  }
  return pixels;
}

std::string written(const FrameRecord& frame) { return frame_head(frame) + pixels_of(frame); }

std::string read_pixels(FrameReader& reader, const FrameRecord& frame) {
  std::string pixels(frame.bytes(), '\0');
  reader.read(std::as_writable_bytes(std::span(pixels)));
  return pixels;
}

/// Why a text is not frames.
std::string why_not(const std::string& text) {
  const Error error = error_of([&text] {
    FrameReader reader = reader_of(text);
    while (const auto frame = reader.next()) {
      read_pixels(reader, *frame);
    }
  });
  CHECK(error.problem() == Problem::failed);
  CHECK(error.subject() == "frames");
  return error.why();
}

/// A map of CBOR: `{"shmim": 1, "pixels": PIXELS}`.
std::string minimal(const std::string& pixels) { return "\xa2\x65shmim\x01\x66pixels" + pixels; }

TEST_CASE("what is known of a frame survives, in whatever pieces it comes") {
  const FrameRecord frame = full_record();
  FrameRecord second = frame;
  second.info.cnt0 = 8;
  second.trace.clear();
  second.keywords.clear();
  const std::string text = written(frame) + written(second);
  CHECK(text.starts_with(frames_beginning));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    FrameReader reader = reader_of(text, piece);
    REQUIRE(reader.wait());
    const auto found = reader.next();
    REQUIRE(found);
    CHECK(*found == frame);
    CHECK(read_pixels(reader, *found) == pixels_of(frame));
    const auto next = reader.next();
    REQUIRE(next);
    CHECK(*next == second);
    CHECK(read_pixels(reader, *next) == pixels_of(second));
    CHECK(!reader.wait());
    CHECK(!reader.next());
  }
}

TEST_CASE("each frame has its own keywords, whether they are those of the frame before or not") {
  const std::vector<Keyword> set{{"A", 1.0, ""}, {"B", std::string("b"), "c"}};
  std::vector<std::vector<Keyword>> all{set, set, {set[1]}, {}, {set[1]}, set};
  all.push_back({{"A", 1.0, "said otherwise"}, set[1]});
  std::string text;
  FrameRecord frame = full_record();
  for (const std::vector<Keyword>& keywords : all) {
    frame.keywords = keywords;
    text += written(frame);
  }
  FrameReader reader = reader_of(text, 50);
  for (const std::vector<Keyword>& keywords : all) {
    const auto found = reader.next();
    REQUIRE(found);
    CHECK(found->keywords == keywords);
  }
}

TEST_CASE("frames of every type and number of axes, and large ones") {
  for (const DataType type : data_types()) {
    for (const Shape& shape : {Shape{5}, Shape{4, 3}, Shape{70, 50, 3}}) {
      FrameRecord frame;
      frame.type = type;
      frame.shape = shape;
      FrameReader reader = reader_of(written(frame), 1000);
      const auto found = reader.next();
      REQUIRE(found);
      CHECK(*found == frame);
      CHECK(read_pixels(reader, *found) == pixels_of(frame));
    }
  }
}

TEST_CASE("pixels that nobody reads are passed over") {
  const FrameRecord frame = full_record();
  FrameReader reader = reader_of(written(frame) + written(frame), 5);
  CHECK(reader.next());
  CHECK(reader.next());
  std::vector<std::byte> too_few(frame.bytes() - 1);
  CHECK(error_of([&] { reader.read(too_few); }).problem() == Problem::usage);
  CHECK(!reader.next());
}

TEST_CASE("frames that are cut off anywhere are no frames") {
  const std::string text = written(full_record());
  for (std::size_t size = 1; size < text.size(); ++size) {
    CHECK(why_not(text.substr(0, size)) == "ends in the middle of a frame");
  }
}

TEST_CASE("a frame of another program needs no more than a version and pixels") {
  // Tag 40 of [[2, 3], tag 64 of six bytes].
  const std::string pixels =
      "\xd8\x28\x82\x82\x02\x03\xd8\x40\x46"
      "abcdef";
  FrameReader reader = reader_of(minimal(pixels));
  const auto frame = reader.next();
  REQUIRE(frame);
  CHECK(frame->type == DataType::uint8);
  CHECK(frame->shape == Shape{3, 2});
  CHECK(frame->info.cnt0 == 0);
  CHECK(read_pixels(reader, *frame) == "abcdef");
}

TEST_CASE("what is no frame is told by what it lacks") {
  using namespace std::string_literals;
  CHECK(why_not("text") == "is not of frames: it does not begin with a map of CBOR");
  CHECK(why_not("\xa0") == "has a frame without pixels");
  CHECK(why_not("\xa1\x01\x02") == "has a key that is not text");
  CHECK(why_not("\xa1\x61x\xff") == "is not CBOR that says its lengths ahead");
  CHECK(why_not("\xbf") == "is not CBOR that says its lengths ahead");
  CHECK(why_not("\xa2\x65shmim\x02\x66pixels") == "is of version 2 of the frame format, not 1");
  CHECK(why_not("\xa1\x66pixels") ==
        "is not of frames: its map has no 'shmim', which says the version");
  CHECK(why_not("\xa3\x65shmim\x01\x66pixels") ==
        "has more to say of a frame behind its pixels, which come last");
  CHECK(why_not("\xa3\x65shmim\x01\x64"
                "cnt0\x20\x66pixels") ==
        "has a 'cnt0' that is not a whole number from 0 to 18446744073709551615");
  CHECK(why_not("\xa3\x65shmim\x01\x64name\x01\x66pixels") == "has a 'name' that is not text");
  CHECK(why_not("\xa3\x65shmim\x01\x65trace\x01\x66pixels") == "has a 'trace' that is not a list");
  CHECK(why_not("\xa3\x65shmim\x01\x65trace\x81\x01\x66pixels") ==
        "has a list of what are no maps");
  CHECK(why_not("\xa3\x65shmim\x01\x68keywords\x81\xa0\x66pixels") ==
        "has a keyword without a 'value'");
  CHECK(why_not(minimal("\x40")) == "has pixels without a tag");
  CHECK(why_not(minimal("\xd8\x29\x80")) ==
        "has pixels that are not an array of several axes: tag 40 with two items");
  CHECK(why_not(minimal("\xd8\x28\x82\x80")) == "has pixels of 0 axes; a stream has one to three");
  CHECK(why_not(minimal("\xd8\x28\x82\x81\x06\xd8\x41\x46")) ==
        "has pixels of tag 65, which is not one of little-endian elements of a type that a stream "
        "can have");
  CHECK(why_not(minimal("\xd8\x28\x82\x82\x02\x04\xd8\x40\x46")) ==
        "has 6 bytes of pixels for 2x4 of uint8");
  CHECK(why_not(minimal("\xd8\x28\x82\x81\x00\xd8\x40\x40"s)) ==
        "has 0 bytes of pixels for 0 of uint8");
  CHECK(why_not("\xa3\x65shmim\x01\x64type\x65int16\x66pixels\xd8\x28\x82\x81\x01\xd8\x40\x41") ==
        "says that its type is int16, and has pixels of uint8");
  CHECK(why_not("\xa3\x65shmim\x01\x64type\x69"
                "complex64\x66pixels\xd8\x28\x82\x81\x03\xd8\x55\x4c") ==
        "has pixels of complex64 whose last axis is not the two parts");
}

TEST_CASE("what claims to be huge costs an error and no memory") {
  CHECK(why_not("\xa1\x7b\xff\xff\xff\xff\xff\xff\xff\xff") ==
        "says more of a frame than 16 MiB hold");
  CHECK(why_not("\xa1\x61x\x9b\xff\xff\xff\xff\xff\xff\xff\xff") ==
        "says more of a frame than 16 MiB hold");
  CHECK(why_not("\xa1\x61x\xbb\xff\xff\xff\xff\xff\xff\xff\xff") ==
        "says more of a frame than 16 MiB hold");
  CHECK(why_not("\xa1\x61x" + std::string(100, '\x81')) == "is nested too deeply");
  FrameRecord large;
  large.shape = Shape{UINT32_MAX, 1000};
  FrameReader reader = reader_of(frame_head(large));
  const auto frame = reader.next();
  REQUIRE(frame);
  CHECK(frame->bytes() == std::uint64_t{UINT32_MAX} * 1000);
}

}  // namespace
}  // namespace shmim
