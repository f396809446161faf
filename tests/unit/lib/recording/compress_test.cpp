#include <array>
#include <bit>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <shmim/recording.hpp>
#include <sys/file.h>
#include <sys/resource.h>

#include "shmim/error.hpp"
#include "shmim/file.hpp"
#include "support/unit.hpp"

// That astropy and fitsverify find nothing wrong is in tests/faults/recorded.bats.

namespace shmim::test::compressing {
namespace {

using End = CompressedRecording::End;

/// Smooth, so that there is something to compress, with a few numbers that are not, among them all
/// kinds of floats, where they do not make up all of it.
std::vector<std::byte> frame_of(const RecordedStream& stream, unsigned number) {
  std::vector<std::byte> pixels(stream.frame_bytes());
  const auto put = [&pixels](std::size_t at, auto value) {
    if (at + sizeof value <= pixels.size()) {
      std::memcpy(&pixels[at], &value, sizeof value);
    }
  };
  for (std::size_t i = 0; i < pixels.size() / 8; ++i) {
    put(8 * i, static_cast<std::uint64_t>(number));
  }
  constexpr std::array<std::uint32_t, 8> singles{0x7F800000, 0xFF800000, 0x7FC00000, 0x7F812345,
                                                 0xFFC00001, 1,          0x80000000, 0x807FFFFF};
  constexpr std::array<std::uint64_t, 5> doubles{0x7FF0000000000000, 0xFFF0000000000000,
                                                 0x7FF8000012345678, 1, 0x8000000000000000};
  const bool is_double = element_size(stream.type) == 8 && stream.type != DataType::complex64;
  constexpr std::size_t large = 1000;
  const bool is_single = !is_double && stream.type != DataType::float16 &&  // which is widened
                         pixels.size() > large;
  for (std::size_t i = 0; i < singles.size() && is_single; ++i) {
    put(16 * i, singles[i]);
  }
  for (std::size_t i = 0; i < doubles.size() && is_double; ++i) {
    put(24 * i, doubles[i]);
  }
  return pixels;
}

struct Recorded {
  RecordedStream stream;
  std::vector<std::vector<std::byte>> frames;
};

void record(const std::filesystem::path& file, const Recorded& recorded) {
  RecordingWriter writer(file, recorded.stream);
  std::uint64_t cnt0 = 0;
  for (const std::vector<std::byte>& frame : recorded.frames) {
    FrameInfo info;
    info.cnt0 = ++cnt0;
    std::vector<Keyword> keywords = recorded.stream.keywords;
    keywords.push_back({"TEMP", static_cast<double>(cnt0), "changes"});
    writer.write(info, 0, keywords, frame);
  }
  writer.finish();
}

Recorded smooth(DataType type = DataType::uint16, const Shape& shape = Shape({60, 50}),
                unsigned frames = 7) {
  Recorded recorded;
  recorded.stream.name = "cam";
  recorded.stream.type = type;
  recorded.stream.shape = shape;
  recorded.stream.keywords = {{"GAIN", std::int64_t{2}, "e-/ADU"},
                              {"long.Name", std::string("it's"), "in small letters"}};
  for (unsigned frame = 1; frame <= frames; ++frame) {
    recorded.frames.push_back(frame_of(recorded.stream, frame));
  }
  return recorded;
}

bool holds(const std::filesystem::path& file, const Recorded& recorded) {
  const Recording recording(file);
  const RecordedStream& stream = recording.stream();
  if (stream.name != recorded.stream.name || stream.type != recorded.stream.type ||
      stream.shape != recorded.stream.shape || stream.keywords != recorded.stream.keywords ||
      recording.frames() != recorded.frames.size()) {
    return false;
  }
  std::vector<std::byte> pixels(stream.frame_bytes());
  for (std::uint64_t frame = 0; frame < recording.frames(); ++frame) {
    recording.read(frame, pixels);
    const RecordedFrame row = recording.frame(frame);
    if (pixels != recorded.frames[frame] || row.info.cnt0 != frame + 1 ||
        row.keywords.back() != Keyword{"TEMP", static_cast<double>(frame + 1), "changes"}) {
      return false;
    }
  }
  return true;
}

std::size_t files_in(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), {}));
}

std::string why_not(const std::filesystem::path& file,
                    const std::function<bool(double)>& goes_on = {}) {
  try {
    return compress_recording(file, goes_on).end == End::done ? "done" : "left";
  } catch (const Error& error) {
    return error.why();
  }
}

}  // namespace

TEST_CASE("a compressed recording is what it was, to the bit, for every type") {
  const Directory directory;
  for (const DataType type :
       {DataType::uint8, DataType::int8, DataType::uint16, DataType::int16, DataType::uint32,
        DataType::int32, DataType::float32, DataType::float64, DataType::float16}) {
    CAPTURE(to_string(type));
    const auto file = directory.path() / fmt::format("{}.fits", to_string(type));
    const Recorded recorded = smooth(type);
    record(file, recorded);
    const auto before = std::filesystem::file_size(file);
    double last = 0;
    const CompressedRecording result = compress_recording(file, [&last](double done) {
      CHECK(done >= last);
      CHECK(done <= 1);
      last = done;
      return true;
    });
    CHECK(result.end == End::done);
    CHECK(result.bytes_before == before);
    CHECK(result.bytes == std::filesystem::file_size(file));
    CHECK(result.bytes < before);
    CHECK(holds(file, recorded));
    CHECK(compress_recording(file).end == End::was_compressed);
  }
  CHECK(files_in(directory.path()) == 9);
}

TEST_CASE("what cannot be compressed stays as it is") {
  const Directory directory;
  const auto stays = [&](const Recorded& recorded, End end) {
    const auto file = directory.path() / "cam.fits";
    record(file, recorded);
    const CompressedRecording result = compress_recording(file);
    CHECK(result.end == end);
    CHECK(result.bytes == result.bytes_before);
    CHECK(holds(file, recorded));
    CHECK(files_in(directory.path()) == 1);
    std::filesystem::remove(file);
  };
  stays(smooth(DataType::int64), End::impossible);
  stays(smooth(DataType::uint64), End::impossible);
  stays(smooth(DataType::complex64), End::impossible);
  stays(smooth(DataType::uint8, Shape({6, 5, 4})), End::impossible);
  Recorded noise = smooth(DataType::uint16, Shape({300, 200}));
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same each time
  for (std::vector<std::byte>& frame : noise.frames) {
    for (std::byte& byte : frame) {
      byte = static_cast<std::byte>(random());
    }
  }
  stays(noise, End::not_smaller);
}

TEST_CASE("tiles are whole frames, some of them, or parts of one") {
  const Directory directory;
  for (const Shape& shape :
       {Shape({500}), Shape({700, 400}), Shape({300'000}), Shape({3, 70'000})}) {
    const auto file = directory.path() / fmt::format("{}.fits", to_string(shape));
    const Recorded recorded = smooth(DataType::uint16, shape, shape.elements() < 1000 ? 700 : 3);
    record(file, recorded);
    CHECK(compress_recording(file).end == End::done);
    CHECK(holds(file, recorded));
  }
}

TEST_CASE("compression that does not come to its end leaves the recording") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  const Recorded recorded = smooth(DataType::uint16, Shape({600, 400}));
  record(file, recorded);
  SUBCASE("cancelled") {
    for (const double when : {0.0, 0.3, 0.8}) {
      const auto goes_on = [when](double done) { return done < when; };
      CHECK(compress_recording(file, goes_on).end == End::cancelled);
    }
  }
  SUBCASE("no room") {
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{20'000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string why = why_not(file);
    ::setrlimit(RLIMIT_FSIZE, &before);
    static_cast<void>(std::signal(SIGXFSZ, handler));
    CHECK(why == "cannot be written: File too large");
  }
  SUBCASE("somebody else compresses it") {
    const FileDescriptor other(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    ::flock(other.get(), LOCK_EX);
    CHECK(why_not(file) == "is being compressed already");
  }
  SUBCASE("another recording takes its name meanwhile") {
    const auto other = directory.path() / "other.fits";
    record(other, recorded);
    CHECK(why_not(file, [&](double done) {
            if (done > 0.5 && std::filesystem::exists(other)) {
              std::filesystem::rename(other, file);
            }
            return true;
          }) == "was replaced while it was compressed");
  }
  CHECK(holds(file, recorded));
  CHECK(files_in(directory.path()) == 1);
}

TEST_CASE("a keyword that a compressed image has for itself keeps it from being compressed") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  Recorded recorded = smooth();
  recorded.stream.keywords.push_back({"ZTILE1", std::int64_t{1}, ""});
  record(file, recorded);
  CHECK(why_not(file) == "a compressed image has a keyword ZTILE1 of its own");
  CHECK(holds(file, recorded));
}

TEST_CASE("where a link leads is compressed") {
  const Directory directory;
  std::filesystem::create_directory(directory.path() / "disk");
  const auto file = directory.path() / "disk" / "cam.fits";
  const auto link = directory.path() / "link.fits";
  const Recorded recorded = smooth();
  record(file, recorded);
  std::filesystem::create_symlink("disk/cam.fits", link);
  CHECK(compress_recording(link).end == End::done);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(compress_recording(file).end == End::was_compressed);
  CHECK(holds(link, recorded));
}

TEST_CASE("what is no recording is not compressed") {
  const Directory directory;
  CHECK(why_not(directory.path() / "none.fits") ==
        "cannot be compressed: No such file or directory");
  const Recorded recorded = smooth();
  const auto file = directory.path() / "image.fits";
  const std::vector<std::byte> bytes =
      to_fits(Hdu::primary, DataType::uint16, recorded.stream.shape, recorded.frames[0], {});
  write_bytes(file, bytes);
  CHECK(why_not(file) == "is FITS, and no recording: it has no table FRAMES");
}

}  // namespace shmim::test::compressing
