#include <array>
#include <bit>
#include <complex>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fitsio.h>
#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <shmim/recording.hpp>

#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "support/unit.hpp"

namespace {

using namespace shmim;
namespace fs = std::filesystem;
using Pixels = std::vector<std::byte>;

template <class T>
Pixels pixels_of(const std::vector<T>& values) {
  Pixels pixels(values.size() * sizeof(T));
  std::memcpy(pixels.data(), values.data(), pixels.size());
  return pixels;
}

/// The table of a recording, by hand.
class Table {
 public:
  Table& column(std::string_view name, std::string_view form, std::string_view comment = "") {
    ++columns_;
    cards_ +=
        fmt::format("{:<80}", fmt::format("TTYPE{:<3}= '{:<8}' / {}", columns_, name, comment));
    cards_ += fmt::format("{:<80}", fmt::format("TFORM{:<3}= '{:<8}'", columns_, form));
    return *this;
  }
  /// The columns that every recording has.
  Table& usual() {
    for (const char* name : {"CNT0", "CNT1", "ATIME", "WRITETIME", "MISSED"}) {
      column(name, "K");
    }
    return *this;
  }
  Table& number(std::uint64_t value) {
    for (int byte = 7; byte >= 0; --byte) {
      data_ += static_cast<char>(value >> (8 * byte) & 0xFF);
    }
    return *this;
  }
  Table& integer(std::int64_t value) { return number(static_cast<std::uint64_t>(value)); }
  Table& real(double value) { return number(std::bit_cast<std::uint64_t>(value)); }
  Table& text(std::string value, std::size_t bytes = 16) {
    value.resize(bytes, '\0');
    data_ += value;
    return *this;
  }
  Table& row() {
    ++rows_;
    return *this;
  }
  /// What every frame has.
  Table& frame(std::uint64_t cnt0, std::int64_t atime, std::int64_t writetime,
               std::uint64_t missed = 0) {
    return row().number(cnt0).number(cnt0 % 3).integer(atime).integer(writetime).number(missed);
  }
  [[nodiscard]] Pixels bytes(const char* name = "FRAMES") const {
    std::string text;
    const auto card = [&text](std::string_view key, auto value) {
      text += fmt::format("{:<80}", fmt::format("{:<8}= {:>20}", key, value));
    };
    text += fmt::format("{:<80}", "XTENSION= 'BINTABLE'");
    card("BITPIX", 8);
    card("NAXIS", 2);
    card("NAXIS1", rows_ == 0 ? 0 : data_.size() / rows_);
    card("NAXIS2", rows_);
    card("PCOUNT", 0);
    card("GCOUNT", 1);
    card("TFIELDS", columns_);
    text += cards_;
    card("EXTNAME", fmt::format("'{:<8}'", name));
    text += fmt::format("{:<80}", "END");
    text.resize((text.size() + 2879) / 2880 * 2880, ' ');
    text += data_;
    text.resize((text.size() + 2879) / 2880 * 2880, '\0');
    return pixels_of(std::vector<char>(text.begin(), text.end()));
  }

 private:
  std::size_t columns_ = 0;
  std::size_t rows_ = 0;
  std::string cards_;
  std::string data_;
};

Table table_of(std::uint64_t frames) {
  Table table;
  table.usual();
  for (std::uint64_t i = 0; i < frames; ++i) {
    table.frame(i + 1, 1, 2);
  }
  return table;
}

class RecordingDirectory : public test::Directory {
 public:
  [[nodiscard]] fs::path add(const std::string& name, const Pixels& cube,
                             const Pixels& table = {}) const {
    Pixels all = cube;
    all.insert(all.end(), table.begin(), table.end());
    test::write_bytes(path() / name, all);
    return path() / name;
  }
};

/// The primary HDU of a recording of `shape`, whose last axis counts its frames.
Pixels cube(DataType type, const Shape& shape, const Pixels& pixels,
            std::vector<Keyword> keywords = {}) {
  keywords.insert(keywords.begin(), {"EXTNAME", "cam", "stream"});
  return to_fits(Hdu::primary, type, shape, pixels, keywords);
}

Pixels read(const Recording& recording, std::uint64_t index) {
  Pixels pixels(recording.stream().frame_bytes());
  recording.read(index, pixels);
  return pixels;
}

constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();

/// Calls a function of cfitsio, to make files that the library itself does not make.
template <class Function, class... Arguments>
void call_cfitsio(const char* symbol, Arguments... arguments) {
  static void* const library = dlopen("libcfitsio.so", RTLD_NOW);
  REQUIRE(library != nullptr);
  void* const function = dlsym(library, symbol);
  REQUIRE(function != nullptr);
  int status = 0;
  reinterpret_cast<Function*>(function)(arguments..., &status);
  REQUIRE(status == 0);
}

/// Writes a recording again with its frames in compressed tiles, in HDU 1.
void compress(const fs::path& from, const fs::path& to) {
  fitsfile* in = nullptr;
  fitsfile* out = nullptr;
  call_cfitsio<decltype(ffopen)>("ffopen", &in, from.c_str(), READONLY);
  call_cfitsio<decltype(ffinit)>("ffinit", &out, to.c_str());
  call_cfitsio<decltype(fits_set_compression_type)>("fits_set_compression_type", out, RICE_1);
  call_cfitsio<decltype(fits_img_compress)>("fits_img_compress", in, out);
  call_cfitsio<decltype(ffmahd)>("ffmahd", in, 2, nullptr);
  call_cfitsio<decltype(ffcopy)>("ffcopy", in, out, 0);
  call_cfitsio<decltype(ffclos)>("ffclos", out);
  call_cfitsio<decltype(ffclos)>("ffclos", in);
}

}  // namespace

TEST_CASE("a recording has frames, what they were, and the stream that they are of") {
  const RecordingDirectory directory;
  Table table;
  table.usual();
  table.frame(10, 1000, 2000).frame(11, none, 3000).frame(15, 4000, none, 3);
  const fs::path file =
      directory.add("run.fits",
                    cube(DataType::uint16, {3, 2, 3},
                         pixels_of<std::uint16_t>({0, 1, 2, 3, 4, 65535, 10, 11, 12, 13, 14, 15, 20,
                                                   21, 22, 23, 24, 25}),
                         {{"IMGTYPE", std::int64_t{4}, "image type of the stream"},
                          {"MISSED", std::int64_t{3}, "frames that are lacking"},
                          {"LOST1", "12-14", "cnt0 of such frames"},
                          {"LOST2", std::int64_t{7}, "of the stream"},
                          {"GAIN", 1.5, "electrons"}}),
                    table.bytes());
  CHECK(is_recording(file));
  const Recording recording(file);
  const RecordedStream& stream = recording.stream();
  CHECK(stream.name == "cam");
  CHECK(stream.type == DataType::uint16);
  CHECK(stream.shape == Shape{3, 2});
  CHECK(stream.image_type == 4);
  CHECK(stream.keywords == std::vector<Keyword>{{"LOST2", std::int64_t{7}, "of the stream"},
                                                {"GAIN", 1.5, "electrons"}});
  REQUIRE(recording.frames() == 3);
  const auto time = [](std::int64_t nanoseconds) {
    return Tai{std::chrono::nanoseconds{nanoseconds}};
  };
  CHECK(recording.frame(0).info == FrameInfo{10, 1, time(1000), time(2000), never});
  CHECK(recording.frame(1).info == FrameInfo{11, 2, never, time(3000), never});
  CHECK(recording.frame(2).info == FrameInfo{15, 0, time(4000), never, never});
  CHECK(recording.frame(0).missed == 0);
  CHECK(recording.frame(2).missed == 3);
  CHECK(recording.frame(1).keywords == stream.keywords);
  CHECK(read(recording, 2) == pixels_of<std::uint16_t>({20, 21, 22, 23, 24, 25}));
  CHECK(read(recording, 0) == pixels_of<std::uint16_t>({0, 1, 2, 3, 4, 65535}));
  CHECK(read(recording, 1) == pixels_of<std::uint16_t>({10, 11, 12, 13, 14, 15}));

  const Error beyond = test::error_of([&] { static_cast<void>(recording.frame(3)); });
  CHECK(beyond.problem() == Problem::usage);
  CHECK(test::says(beyond, "there is no frame 3: it has 3"));
  Pixels pixels(11);
  CHECK(test::says(test::error_of([&] { recording.read(0, pixels); }),
                   "11 bytes given for a frame of 12"));
  CHECK(test::says(test::error_of([&] { recording.read(3, pixels); }), "there is no frame 3"));
}

TEST_CASE("keywords that changed are as they were with each frame") {
  const RecordingDirectory directory;
  Table table;
  table.usual().column("FOCUS", "1K", "steps").column("Temp", "D", "[K]").column("FILTER", "24A");
  table.frame(1, 1, 1).integer(7).real(77.25).text("sixteen letters!", 24);
  table.frame(2, 2, 2).integer(none).real(std::numeric_limits<double>::quiet_NaN()).text("", 24);
  table.frame(3, 3, 3).integer(-1).real(-0.0).text("H  ", 24);
  table.frame(4, 4, 4).integer(none).real(0).text("-0.12345678901234567", 24);
  const Recording recording(
      directory.add("run.fits",
                    cube(DataType::uint8, {1, 1, 4}, pixels_of<char>({1, 2, 3, 4}),
                         {{"FOCUS", std::int64_t{7}, "old"}, {"GAIN", std::int64_t{2}, ""}}),
                    table.bytes()));
  const Keyword gain{"GAIN", std::int64_t{2}, ""};
  CHECK(recording.stream().keywords == std::vector<Keyword>{gain});
  CHECK(recording.frame(0).keywords == std::vector<Keyword>{gain,
                                                            {"FOCUS", std::int64_t{7}, "steps"},
                                                            {"Temp", 77.25, "[K]"},
                                                            {"FILTER", "sixteen letters!", ""}});
  CHECK(recording.frame(1).keywords == std::vector<Keyword>{gain});
  CHECK(recording.frame(2).keywords == std::vector<Keyword>{gain,
                                                            {"FOCUS", std::int64_t{-1}, "steps"},
                                                            {"Temp", -0.0, "[K]"},
                                                            {"FILTER", "H", ""}});
  // A number among texts, that no string of a keyword has room for.
  CHECK(recording.frame(3).keywords.back() == Keyword{"FILTER", -0.12345678901234567, ""});
}

TEST_CASE("pixels come back as they went, of every type") {
  const RecordingDirectory directory;
  for (const DataType type : data_types()) {
    CAPTURE(to_string(type));
    // Three frames of two elements, of bytes of which each makes a difference.
    Pixels pixels(6 * element_size(type));
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::byte>(37 * i + 11);
    }
    const fs::path file =
        directory.add("run.fits", cube(type, {2, 3}, pixels), table_of(3).bytes());
    const Recording recording(file);
    CHECK(recording.stream().type == type);
    CHECK(recording.stream().shape == Shape{2});
    for (const std::uint64_t index : {2U, 0U, 1U}) {
      const auto begin = pixels.begin() + static_cast<std::ptrdiff_t>(index * pixels.size() / 3);
      CHECK(read(recording, index) ==
            Pixels(begin, begin + static_cast<std::ptrdiff_t>(pixels.size() / 3)));
    }
  }
}

TEST_CASE("floats that are no numbers keep their bits") {
  const RecordingDirectory directory;
  const auto odd = std::bit_cast<float>(0xFFC12345U);
  const std::vector<float> values{odd, std::numeric_limits<float>::infinity(), -0.0F, 1e-42F};
  const Recording recording(directory.add(
      "run.fits", cube(DataType::float32, {2, 2}, pixels_of(values)), table_of(2).bytes()));
  CHECK(read(recording, 0) == pixels_of<float>({values[0], values[1]}));
  CHECK(read(recording, 1) == pixels_of<float>({values[2], values[3]}));
}

TEST_CASE("a compressed recording is read like any other, and so is one in gzip") {
  const RecordingDirectory directory;
  std::vector<std::int32_t> values(std::size_t{64} * 4 * 5);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int32_t>(i * i % 1000);
  }
  const fs::path plain = directory.add(
      "run.fits",
      cube(DataType::int32, {64, 4, 5}, pixels_of(values), {{"GAIN", std::int64_t{2}, ""}}),
      table_of(5).bytes());
  const fs::path packed = directory.path() / "packed.fits";
  const fs::path zipped = directory.path() / "run.fits.gz";
  compress(plain, packed);
  compress(plain, zipped);
  for (const fs::path& file : {packed, zipped}) {
    CAPTURE(file.string());
    CHECK(is_recording(file));
    const Recording recording(file);
    CHECK(recording.stream().name == "cam");
    CHECK(recording.stream().shape == Shape{64, 4});
    CHECK(recording.stream().keywords == std::vector<Keyword>{{"GAIN", std::int64_t{2}, ""}});
    REQUIRE(recording.frames() == 5);
    CHECK(recording.frame(4).info.cnt0 == 5);
    for (const std::uint64_t index : {3U, 4U, 0U}) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(index * 256);
      CHECK(read(recording, index) == pixels_of(std::vector<std::int32_t>(begin, begin + 256)));
    }
  }
}

TEST_CASE("the rows of a long recording are read in any order") {
  const RecordingDirectory directory;
  constexpr std::uint64_t frames = 20000;
  const Recording recording(directory.add(
      "run.fits", cube(DataType::uint8, {1, frames}, Pixels(frames)), table_of(frames).bytes()));
  for (const std::uint64_t index : {0U, 8191U, 8192U, 19999U, 5U}) {
    CHECK(recording.frame(index).info.cnt0 == index + 1);
  }
}

TEST_CASE("what is no recording is refused, and told why") {
  const RecordingDirectory directory;
  const auto why = [](const fs::path& file) {
    const Error error = test::error_of([&] { const Recording recording(file); });
    CHECK(error.subject() == file.string());
    return error.why();
  };
  const auto pixels = pixels_of<char>({1, 2, 3});
  const Pixels frames = cube(DataType::uint8, {1, 3}, pixels);

  const fs::path plain = directory.add("plain.fits", frames);
  CHECK_FALSE(is_recording(plain));
  CHECK(why(plain) == "is FITS, and no recording: it has no table FRAMES");
  CHECK(test::error_of([&] { const Recording recording(plain); }).problem() ==
        Problem::not_an_image);
  CHECK_FALSE(is_recording(directory.add("text", pixels_of<char>({'a', '\n'}))));
  CHECK(test::says(
      test::error_of([&] { static_cast<void>(is_recording(directory.path() / "missing.fits")); }),
      "No such file"));
  CHECK_FALSE(is_recording(directory.add("other.fits", frames, table_of(3).bytes("OTHER"))));
  CHECK(why(directory.add("rows.fits", frames, table_of(2).bytes())) ==
        "has 3 frames, and 2 rows in its table FRAMES");
  Table no_time;
  no_time.column("CNT0", "K").column("CNT1", "K").column("ATIME", "D").row().text("", 24);
  CHECK(why(directory.add("columns.fits", frames, no_time.bytes())) ==
        "its table FRAMES has no column ATIME of integers");
  Table form;
  form.usual().column("X", "J").frame(1, 1, 1).text("", 4);
  CHECK(why(directory.add("form.fits", frames, form.bytes())) ==
        "the column X of its table FRAMES has the form J, which none of a recording has");
  const Pixels alien = to_fits(Hdu::primary, DataType::uint8, {1, 3}, pixels,
                               std::vector<Keyword>{{"SHMIMTYP", "complex64", ""}});
  CHECK(why(directory.add("alien.fits", alien, table_of(3).bytes())) ==
        "says that it is of complex64, which its pixels are not");
  const Pixels flat = cube(DataType::uint8, {3}, pixels);
  CHECK(why(directory.add("flat.fits", flat, table_of(3).bytes()))
            .starts_with("its frames are none of a stream: "));
  Pixels cut = table_of(400).bytes();
  cut.resize(cut.size() - 2880);
  CHECK(why(directory.add("cut.fits", cube(DataType::uint8, {1, 400}, Pixels(400)), cut))
            .starts_with("is truncated"));
}

TEST_CASE("frames of any image in FITS can be read apart") {
  const RecordingDirectory directory;
  const auto values = pixels_of<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const fs::path file =
      directory.add("cube.fits", to_fits(Hdu::primary, DataType::float32, {2, 2, 3}, values, {}));
  const auto image = open_fits(file.string());
  Pixels two(8 * sizeof(float));
  image->read_planes(1, two);
  CHECK(two == pixels_of<float>({4, 5, 6, 7, 8, 9, 10, 11}));
  Pixels one(4 * sizeof(float));
  open_fits(file.string() + "[*,*,3:1]")->read_planes(2, one);
  CHECK(one == pixels_of<float>({0, 1, 2, 3}));
  CHECK(test::says(test::error_of([&] { image->read_planes(2, two); }),
                   "32 bytes from plane 2 on: an image of 2x2x3 has 3 of 16"));
  Pixels odd(5);
  CHECK(test::error_of([&] { image->read_planes(0, odd); }).problem() == Problem::usage);
}

TEST_CASE("what the writer wrote is read again") {
  const RecordingDirectory directory;
  RecordedStream stream;
  stream.name = "cam";
  stream.image_type = 4;
  stream.shape = Shape{2, 3, 2};
  stream.keywords = {{"GAIN", 1.5, "electrons"},
                     {"MISSED", std::int64_t{7}, "of the stream"},
                     {"FOCUS", std::int64_t{3}, "steps"}};
  for (const DataType type : data_types()) {
    CAPTURE(to_string(type));
    stream.type = type;
    const fs::path file = directory.path() / fmt::format("{}.fits", to_string(type));
    RecordingWriter writer(file, stream);
    std::vector<Pixels> frames;
    std::vector<RecordedFrame> wanted;
    for (std::uint64_t i = 0; i < 3; ++i) {
      RecordedFrame& frame = wanted.emplace_back();
      frame.info.cnt0 = 10 + i + (i == 2 ? 4 : 0);
      frame.info.writetime = Tai{std::chrono::nanoseconds{1'700'000'000'000'000'000 + i}};
      frame.missed = i == 2 ? 4 : 0;
      frame.keywords = {stream.keywords[0], stream.keywords[1]};
      if (i != 1) {
        frame.keywords.push_back({"FOCUS", static_cast<std::int64_t>(3 + i), "steps"});
      }
      Pixels& pixels = frames.emplace_back(stream.frame_bytes());
      for (std::size_t at = 0; at < pixels.size(); ++at) {
        pixels[at] = static_cast<std::byte>(37 * at + 11 * i);
      }
      writer.write(frame.info, frame.missed, frame.keywords, pixels);
    }
    writer.finish();
    REQUIRE(is_recording(file));
    const Recording recording(file);
    CHECK(recording.stream().name == "cam");
    CHECK(recording.stream().type == type);
    CHECK(recording.stream().shape == stream.shape);
    CHECK(recording.stream().image_type == 4);
    CHECK(recording.stream().keywords ==
          std::vector<Keyword>{stream.keywords[0], stream.keywords[1]});
    REQUIRE(recording.frames() == 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
      CHECK(recording.frame(i).info == wanted[i].info);
      CHECK(recording.frame(i).missed == wanted[i].missed);
      CHECK(recording.frame(i).keywords == wanted[i].keywords);
      CHECK(read(recording, i) == frames[i]);
    }
  }
}
