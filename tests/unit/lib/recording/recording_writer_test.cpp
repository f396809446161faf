#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <thread>

#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <shmim/recording.hpp>
#include <sys/resource.h>
#include <unistd.h>

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

/// No two frames that follow one another are alike, and no row is like the next.
std::vector<std::byte> pixels_of(const RecordedStream& stream, unsigned frame) {
  std::array<std::byte, 251> period{};  // a prime: of which no row is a multiple
  for (std::size_t i = 0; i < period.size(); ++i) {
    period[i] = static_cast<std::byte>(i * 7 + std::size_t{frame} * 31);
  }
  std::vector<std::byte> pixels;
  pixels.reserve(stream.frame_bytes());
  while (pixels.size() < stream.frame_bytes()) {
    const std::size_t lacking = stream.frame_bytes() - pixels.size();
    const auto part = std::span(period).first(std::min(period.size(), lacking));
    pixels.insert(pixels.end(), part.begin(), part.end());
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
  std::vector<std::uint32_t> axes(stream.shape.lengths().begin(), stream.shape.lengths().end());
  axes.push_back(last - first + 1);
  CHECK(format.type == stream.type);
  REQUIRE(format.shape == Shape(axes));
  std::vector<std::byte> cube(format.bytes());
  images[0]->read(cube);
  // One check for all: there are recordings of a hundred thousand frames.
  std::vector<std::byte> wanted;
  for (unsigned frame = first; frame <= last; ++frame) {
    const std::vector<std::byte> pixels = pixels_of(stream, frame);
    wanted.insert(wanted.end(), pixels.begin(), pixels.end());
  }
  REQUIRE(cube.size() == wanted.size());
  INFO("differs at ", std::ranges::mismatch(cube, wanted).in1 - cube.begin());
  CHECK(are_alike(cube, wanted));
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string trimmed_card(const std::string& card) {
  return card.substr(0, card.find_last_not_of(' ') + 1);
}

/// No file of this process grows beyond it: as on a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    static_cast<void>(std::signal(SIGXFSZ, handler_));
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

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

TEST_CASE("two threads record at a time, each a file of its own") {
  const Directory directory;
  const RecordedStream stream = recorded(DataType::uint16, Shape({1024, 768}));
  const auto file_of = [&](int number) {
    return directory.path() / fmt::format("{}.fits", number);
  };
  constexpr unsigned frames = 14;  // more than there is room for in memory
  const auto record = [&](int number) {
    RecordingWriter writer(file_of(number), stream);
    write_frames(writer, stream, 1, frames);
    writer.finish();
  };
  {
    const std::jthread other(record, 1);
    record(2);
  }
  check_cube(file_of(1), stream, 1, frames);
  check_cube(file_of(2), stream, 1, frames);
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
    std::filesystem::resize_file(pixels, std::uint64_t{3} * 2880 + 2 * stream.frame_bytes() + 1);
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

TEST_CASE("what cannot be begun leaves nothing") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto problem = [&](const std::filesystem::path& file, RecordingOptions options) {
    return problem_of([&] { RecordingWriter(file, stream, options); });
  };
  CHECK(problem(directory.path(), {.replaces = true}) ==
        directory.path().string() + ": is not the name of a file");
  const auto link = directory.path() / "link.fits";
  std::filesystem::create_symlink("nowhere", link);
  CHECK(problem(link, {}) == link.string() + ": exists");
  std::filesystem::remove(link);
  const std::string longest(250, 'x');
  CHECK(problem(directory.path() / longest, {}) ==
        fmt::format("{}: cannot be made: File name too long",
                    (directory.path() / fmt::format(".{}.times", longest)).string()));
  const auto file = directory.path() / "cam.fits";
  const FileSizeLimit limit(4096);
  CHECK(problem(file, {}) == (directory.path() / ".cam.fits.part").string() +
                                 ": cannot be written: a file may not be larger here");
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("without direct I/O, which is wanted, nothing is left") {
  const std::filesystem::path shm = "/dev/shm";
  const auto file = shm / fmt::format("shmim-recording.{}.fits", ::getpid());
  const std::string problem =
      problem_of([&] { RecordingWriter(file, recorded(), {.direct = DirectIo::on}).discard(); });
  CHECK((problem == "none" || problem.ends_with("there is no direct I/O on this file system")));
  CHECK_FALSE(is_unfinished(file));
}

TEST_CASE("a recorder that died before its first frame leaves a place that can be cleared") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  const auto journal = directory.path() / ".cam.fits.times";
  const auto pixels = directory.path() / ".cam.fits.part";
  write_bytes(journal, {});
  SUBCASE("before there were pixels") {}
  SUBCASE("when they were empty") { write_bytes(pixels, {}); }
  CHECK(problem_of([&] { repair_recording(file); }) ==
        file.string() + ": none of its frames is left");
  CHECK(std::filesystem::is_empty(directory.path()));

  write_bytes(pixels, pixels_of(recorded(), 0));
  CHECK(problem_of([&] { repair_recording(file); }) ==
        fmt::format("{}: is gone: what is in {} is not known", journal.string(), pixels.string()));
  CHECK(std::filesystem::exists(pixels));
}

TEST_CASE("a repair that was cut short takes no byte of its table for pixels") {
  const Directory directory;
  const RecordedStream stream = recorded(DataType::uint8, Shape({1}));
  const auto file = directory.path() / "cam.fits";
  const auto pixels = directory.path() / ".cam.fits.part";
  {
    RecordingWriter writer(file, stream);
    write_frames(writer, stream, 1, 100);
    writer.flush();
  }
  std::filesystem::resize_file(pixels, 3 * 2880 + 40);  // as a loss of power can leave it
  write_bytes(file, pixels_of(stream, 0));  // whereupon the repair stops before its last step
  CHECK(problem_of([&] { repair_recording(file); }).find("was made by others") !=
        std::string::npos);
  CHECK(std::filesystem::file_size(pixels) > 3 * 2880 + 2880);
  std::filesystem::remove(file);
  CHECK(repair_recording(file) == 40);
  check_cube(file, stream, 1, 40);
}

TEST_CASE("a recorder that died when its file had its name") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  const auto journal = directory.path() / ".cam.fits.times";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 3);
  writer.flush();
  std::filesystem::copy(journal, directory.path() / "copy");
  writer.finish();
  std::filesystem::rename(directory.path() / "copy", journal);
  CHECK(problem_of([&] { repair_recording(file); }) ==
        file.string() + ": is whole: there is nothing to repair");
  CHECK_FALSE(is_unfinished(file));
  check_cube(file, stream, 1, 3);
}

TEST_CASE("what is finished is not written to") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 1);
  writer.finish();
  CHECK(problem_of([&] { write_frames(writer, stream, 2, 2); }) == file.string() + ": is finished");
}

TEST_CASE("where files may not be larger, the frames that fit are kept") {
  const Directory directory;
  const auto file = directory.path() / "cam.fits";
  RecordedStream stream;
  unsigned least = 0;
  std::uint64_t most_bytes = 0;
  SUBCASE("large frames") {
    stream = recorded(DataType::uint16, Shape({1000, 300}));
    least = 5;
    most_bytes = 4'000'000;
  }
  SUBCASE("small ones, with a journal that is larger") {
    stream = recorded(DataType::uint8, Shape({3}));
    least = 4'500;
    most_bytes = 300'000;
  }
  const FileSizeLimit limit(most_bytes);
  RecordingWriter writer(file, stream);
  unsigned frames = 0;
  const std::string problem = problem_of([&] {
    for (;; ++frames) {
      write_frames(writer, stream, frames + 1, frames + 1);
    }
  });
  CHECK(problem.ends_with("cannot be written: a file may not be larger here"));
  CHECK(problem_of([&] { write_frames(writer, stream, 1, 1); }) ==
        file.string() + ": a frame could not be written: no more can be");
  writer.finish();
  CHECK(writer.frames() >= least);
  CHECK(writer.frames() <= frames + 1);
  check_cube(file, stream, 1, static_cast<unsigned>(writer.frames()));
  CHECK(std::filesystem::file_size(file) > most_bytes / 4 * 3);
  CHECK(std::filesystem::file_size(file) % 2880 == 0);
}

TEST_CASE("of small frames the journal does not wait for a piece of pixels") {
  const Directory directory;
  const RecordedStream stream = recorded(DataType::uint8, Shape({1}));
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 100'000);
  CHECK(std::filesystem::file_size(directory.path() / ".cam.fits.times") > 500'000);
}

TEST_CASE("keywords and gaps of every kind") {
  const Directory directory;
  RecordedStream stream = recorded();
  stream.keywords = {{"cnt0", std::int64_t{1}, "of another"},
                     {"A B", 0.5, "\xc2\xb5m"},
                     {"A_B", std::int64_t{1}, ""},
                     {"NAXIS3", std::int64_t{9}, "of another"},
                     {"CONST", std::int64_t{1}, ""}};
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 11, 11);
  std::vector<Keyword> keywords = stream.keywords;
  for (Keyword& keyword : keywords) {
    keyword.value = std::int64_t{2};
  }
  keywords.pop_back();
  std::uint64_t cnt0 = 13;
  for (unsigned gap = 0; gap < 45; ++gap) {
    writer.write(numbered(cnt0 += 2), 1, keywords, pixels_of(stream, 12 + gap));
  }
  writer.write(numbered(3), 2, keywords, pixels_of(stream, 57));  // it was made anew meanwhile
  writer.write(numbered(std::numeric_limits<std::uint64_t>::max()), 0, {}, pixels_of(stream, 58));
  writer.finish();
  check_cube(file, stream, 11, 58);
  const std::string text = text_of(file);
  const auto card = [&text](const char* name) {
    const auto at = text.find(name);
    return at == std::string::npos ? std::string("none") : trimmed_card(text.substr(at, 80));
  };
  CHECK(card("LOST1   =") == "LOST1   = '14-14   '           / cnt0 of such frames");
  CHECK(card("LOST41  =") == "none");
  CHECK(card("MISSED  =") == "MISSED  =                   47 / frames that are lacking");
  CHECK(card("TTYPE6  =").starts_with("TTYPE6  = 'cnt0_KW '"));
  CHECK(card("TTYPE7  =").starts_with("TTYPE7  = 'A_B     '"));
  CHECK(card("TTYPE8  =").starts_with("TTYPE8  = 'A_B_KW  '"));
}

TEST_CASE("keywords that change and have no column are named") {
  const Directory directory;
  RecordedStream stream = recorded();
  constexpr int count = 1000;
  const auto keywords = [](std::int64_t value) {
    std::vector<Keyword> all;
    all.reserve(count);
    for (int number = 0; number < count; ++number) {
      all.push_back({fmt::format("K{}", number), value, ""});
    }
    return all;
  };
  stream.keywords = keywords(1);
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  writer.write(numbered(1), 0, keywords(1), pixels_of(stream, 1));
  writer.write(numbered(2), 0, keywords(2), pixels_of(stream, 2));
  writer.finish();
  const std::string text = text_of(file);
  CHECK(text.find("NOCOLUMN=                    6 / keywords that changed, in no column") !=
        std::string::npos);
  CHECK(text.find("COMMENT  Keywords that changed, in no column: K994 K995 K996 K997 K998 K999 ") !=
        std::string::npos);
  const Recording recording(file);
  CHECK(recording.stream().keywords.empty());
  CHECK(recording.frame(1).keywords.size() == 994);
}

TEST_CASE("a keyword that is no number is not one that changes") {
  const Directory directory;
  RecordedStream stream = recorded();
  stream.keywords = {{"NONE", std::numeric_limits<double>::quiet_NaN(), ""}};
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 3);
  writer.finish();
  CHECK(text_of(file).find("TTYPE6") == std::string::npos);
}

TEST_CASE("more keywords change than a table has columns") {
  const Directory directory;
  RecordedStream stream = recorded();
  for (std::int64_t i = 0; i < 1200; ++i) {
    stream.keywords.push_back({fmt::format("K{}", i), i, ""});
  }
  const auto file = directory.path() / "cam.fits";
  RecordingWriter writer(file, stream);
  write_frames(writer, stream, 1, 1);
  writer.write(numbered(2), 0, {}, pixels_of(stream, 2));
  writer.finish();
  check_cube(file, stream, 1, 2);
}

TEST_CASE("dates are in the UTC of the machine that recorded") {
  const Directory directory;
  const RecordedStream stream = recorded();
  const auto file = directory.path() / "cam.fits";
  {
    RecordingWriter writer(file, stream);
    write_frames(writer, stream, 1, 1);
    writer.flush();
  }
  const auto journal = directory.path() / ".cam.fits.times";
  std::string bytes = text_of(journal);
  const std::string key = "seconds_of_utc";
  const auto value = bytes.find(key) + key.size();
  bytes.replace(value, bytes[value] == '\x18' ? 2 : 1, "\x05");
  write_bytes(journal, std::vector<std::byte>(std::as_bytes(std::span(bytes)).begin(),
                                              std::as_bytes(std::span(bytes)).end()));
  repair_recording(file);
  CHECK(text_of(file).find("DATE-OBS= '2023-11-14T22:13:15.001000000'") != std::string::npos);
}

}  // namespace shmim::test
