#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fitsio.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <shmim/fits.hpp>
#include <unistd.h>

#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "support/unit.hpp"

namespace {

using namespace shmim;
namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

// ---- Helpers

class FitsDirectory : public test::Directory {
 public:
  /// Path of a file in the directory.
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path() / name).string();
  }
  /// Path of a file that is made of these bytes.
  std::string add(const std::string& name, std::span<const std::byte> bytes) const {
    test::write_bytes(path() / name, bytes);
    return *this / name;
  }
};

/// Calls a function of cfitsio, to make files that the library itself does not make.
template <class Function>
Function* cfitsio(const char* symbol) {
  static void* const library = dlopen("libcfitsio.so", RTLD_NOW);
  REQUIRE(library != nullptr);
  void* const function = dlsym(library, symbol);
  REQUIRE(function != nullptr);
  return reinterpret_cast<Function*>(function);
}

/// Copies a FITS file in memory to a new file: compressed with gzip where its name ends in .gz.
void save(Bytes bytes, const std::string& file) {
  int status = 0;
  void* begin = bytes.data();
  std::size_t size = bytes.size();
  fitsfile* in = nullptr;
  fitsfile* out = nullptr;
  cfitsio<decltype(ffomem)>("ffomem")(&in, "memory", READONLY, &begin, &size, 0, nullptr, &status);
  cfitsio<decltype(ffinit)>("ffinit")(&out, file.c_str(), &status);
  cfitsio<decltype(ffcpfl)>("ffcpfl")(in, out, 1, 1, 1, &status);
  cfitsio<decltype(ffclos)>("ffclos")(out, &status);
  cfitsio<decltype(ffclos)>("ffclos")(in, &status);
  REQUIRE(status == 0);
}

/// Writes rows of 64 pixels as a tile-compressed image; -1 is a pixel without a value.
template <class T>
void save_tiles(std::vector<T> values, int image, int memory, int compression, float quantize,
                const std::string& file) {
  int status = 0;
  fitsfile* out = nullptr;
  std::array<LONGLONG, 2> axes{64, static_cast<LONGLONG>(values.size() / 64)};
  cfitsio<decltype(ffinit)>("ffinit")(&out, file.c_str(), &status);
  cfitsio<decltype(fits_set_compression_type)>("fits_set_compression_type")(out, compression,
                                                                            &status);
  cfitsio<decltype(fits_set_quantize_level)>("fits_set_quantize_level")(out, quantize, &status);
  cfitsio<decltype(ffcrimll)>("ffcrimll")(out, image, 2, axes.data(), &status);
  cfitsio<decltype(ffprec)>("ffprec")(out, "EXPTIME =                  0.1 / [s]", &status);
  T none = static_cast<T>(-1);
  cfitsio<decltype(ffppn)>("ffppn")(out, memory, 1, static_cast<LONGLONG>(values.size()),
                                    values.data(), quantize != 0 ? &none : nullptr, &status);
  cfitsio<decltype(ffclos)>("ffclos")(out, &status);
  REQUIRE(status == 0);
}

/// FITS by hand: cards, then data as they are.
class Hand {
 public:
  Hand& card(const std::string& text) {
    header_ += fmt::format("{:<80}", text);
    return *this;
  }
  template <class T>
  Hand& card(const std::string& name, T value) {
    return card(fmt::format("{:<8}= {:>20}", name, value));
  }
  Hand& image(int bitpix, const std::vector<long long>& axes, const std::string& first = "") {
    card(first.empty() ? "SIMPLE  =                    T" : first);
    card("BITPIX", bitpix).card("NAXIS", axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      card(fmt::format("NAXIS{}", i + 1), axes[i]);
    }
    if (!first.empty()) {
      card("PCOUNT", 0).card("GCOUNT", 1);
    }
    return *this;
  }
  Hand& extension(int bitpix, const std::vector<long long>& axes, const std::string& name) {
    image(bitpix, axes, "XTENSION= 'IMAGE   '");
    return card("EXTNAME", fmt::format("'{:<8}'", name));
  }
  /// Ends the header and adds numbers, the highest byte first.
  template <class T>
  Hand& data(const std::vector<T>& values) {
    card("END");
    put(header_, ' ');
    header_.clear();
    std::string text;
    for (const T& value : values) {
      auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
      std::reverse(bytes.begin(), bytes.end());
      text.append(bytes.data(), bytes.size());
    }
    put(text, '\0');
    return *this;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  void put(std::string text, char fill) {
    text.resize((text.size() + 2879) / 2880 * 2880, fill);
    for (const char c : text) {
      bytes_.push_back(static_cast<std::byte>(c));
    }
  }

  std::string header_;
  Bytes bytes_;
};

template <class T>
Bytes raw_bytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> read(ImageFile& image) {
  std::vector<T> values(image.format().bytes() / sizeof(T));
  image.read(std::as_writable_bytes(std::span(values)));
  return values;
}

std::vector<std::unique_ptr<ImageFile>> images_of(const Bytes& bytes) {
  return open_fits_images(std::make_shared<const Bytes>(bytes), "memory");
}
std::unique_ptr<ImageFile> only_image_of(const Bytes& bytes) {
  auto images = images_of(bytes);
  REQUIRE(images.size() == 1);
  return std::move(images.front());
}

/// Expects an Error, and gives it.
template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return {Problem::failed, "", ""};
}
/// While it lives a test run by root goes on as nobody: root may read everything.
class NotRoot {
 public:
  NotRoot() { REQUIRE(::seteuid(::getuid() == 0 ? nobody : ::getuid()) == 0); }
  NotRoot(const NotRoot&) = delete;
  NotRoot(NotRoot&&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;
  NotRoot& operator=(NotRoot&&) = delete;
  ~NotRoot() { CHECK(::seteuid(::getuid()) == 0); }

 private:
  static constexpr uid_t nobody = 65534;
};

Error error_of_opening(const std::string& file) {
  return error_of([&] { return open_fits(file); });
}

void check_message(const Error& error, Problem problem, const std::string& part) {
  const std::string what = error.what();
  INFO(what);
  CHECK(error.problem() == problem);
  CHECK(what.find(part) != std::string::npos);
}

std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Cards of the first header, without their padding.
std::vector<std::string> cards_of(const Bytes& fits) {
  std::vector<std::string> cards;
  const std::string text = text_of(fits);
  for (std::size_t at = 0; !text.substr(at).starts_with("END     "); at += 80) {
    const std::string card = text.substr(at, 80);
    cards.push_back(card.substr(0, card.find_last_not_of(' ') + 1));
  }
  return cards;
}

/// One a line, so that a failed comparison can be read.
std::string lines(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, "\n"));
}
std::string lines(const std::vector<Keyword>& keywords) {
  std::vector<std::string> texts;
  texts.reserve(keywords.size());
  for (const Keyword& keyword : keywords) {
    texts.push_back(fmt::format("{}: {} {} / {}", keyword.name, keyword.value.index(),
                                to_string(keyword), keyword.comment));
  }
  return lines(texts);
}

bool has_card(const Bytes& fits, const std::string& card) {
  const auto cards = cards_of(fits);
  return std::find(cards.begin(), cards.end(), card) != cards.end();
}

Bytes image_with(const std::vector<Keyword>& keywords) {
  return to_fits(Hdu::primary, DataType::uint8, {1}, Bytes(1), keywords);
}

/// A primary HDU of one byte whose header has these cards.
std::unique_ptr<ImageFile> header_of(const std::vector<std::string>& cards) {
  Hand hand;
  hand.image(8, {1});
  for (const std::string& card : cards) {
    hand.card(card);
  }
  return only_image_of(hand.data<std::uint8_t>({0}).bytes());
}

/// 2x3 numbers with the extremes of the type among them.
template <class T>
std::vector<T> samples() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{0, 1, Limits::lowest(), Limits::max(), Limits::min(), 77};
  if constexpr (std::is_floating_point_v<T>) {
    values[1] = Limits::quiet_NaN();
    values[2] = Limits::denorm_min();
    values[5] = -Limits::infinity();
  }
  return values;
}

template <class T>
void check_round_trip(DataType type) {
  const std::vector<T> values = samples<T>();
  const Bytes fits = to_fits(Hdu::primary, type, {2, 3}, raw_bytes(values), {});
  CHECK(fits.size() == 2 * 2880);
  const FitsDirectory directory;
  for (const auto& image : {only_image_of(fits), open_fits(directory.add("x.fits", fits))}) {
    CHECK(image->format().type == type);
    CHECK(image->format().shape == Shape{2, 3});
    CHECK(image->keywords().empty());
    CHECK(image->unfit_keywords().empty());
    CHECK(raw_bytes(read<T>(*image)) == raw_bytes(values));
  }
}

// ---- Pixels

TEST_CASE("every type FITS has goes out and comes back bit for bit") {
  check_round_trip<std::uint8_t>(DataType::uint8);
  check_round_trip<std::int8_t>(DataType::int8);
  check_round_trip<std::uint16_t>(DataType::uint16);
  check_round_trip<std::int16_t>(DataType::int16);
  check_round_trip<std::uint32_t>(DataType::uint32);
  check_round_trip<std::int32_t>(DataType::int32);
  check_round_trip<std::uint64_t>(DataType::uint64);
  check_round_trip<std::int64_t>(DataType::int64);
  check_round_trip<float>(DataType::float32);
  check_round_trip<double>(DataType::float64);
}

TEST_CASE("complex numbers become an axis of two") {
  const std::vector<float> values{1, 2, 3, 4};
  const Bytes fits = to_fits(Hdu::primary, DataType::complex64, {2}, raw_bytes(values), {});
  CHECK(has_card(fits, "SHMIMTYP= 'complex64'          / element type of the stream"));
  const auto image = only_image_of(fits);
  CHECK(image->format().type == DataType::float32);
  CHECK(image->format().shape == Shape{2, 2});
  CHECK(read<float>(*image) == values);

  const std::vector<double> wide{1, 2, 3, 4};
  const auto wide_image =
      only_image_of(to_fits(Hdu::primary, DataType::complex128, {1, 2}, raw_bytes(wide), {}));
  CHECK(wide_image->format().type == DataType::float64);
  CHECK(wide_image->format().shape == Shape{2, 1, 2});
  CHECK(read<double>(*wide_image) == wide);
}

TEST_CASE("float16 becomes float32") {
  const std::vector<std::uint16_t> halves{0x3C00, 0xC000, 0x0001, 0x7BFF};
  const Bytes fits = to_fits(Hdu::primary, DataType::float16, {4}, raw_bytes(halves), {});
  CHECK(has_card(fits, "SHMIMTYP= 'float16 '           / element type of the stream"));
  const auto image = only_image_of(fits);
  CHECK(image->format().type == DataType::float32);
  CHECK(read<float>(*image) == std::vector<float>{1, -2, std::ldexp(1.0F, -24), 65504});
}

TEST_CASE("the type that is told is not told twice") {
  const std::vector<Keyword> keywords{{"SHMIMTYP", "complex64", ""}};
  const Bytes alien = to_fits(Hdu::primary, DataType::float16, {1}, Bytes(2), keywords);
  const auto image = only_image_of(alien);
  REQUIRE(image->keywords().size() == 1);
  CHECK(std::get<std::string>(image->keywords()[0].value) == "float16");
  CHECK(lines(only_image_of(image_with(keywords))->keywords()) == lines(keywords));
}

TEST_CASE("an offset makes the exact integer type") {
  const auto image = [](int bitpix, const char* zero, auto raw) {
    return only_image_of(
        Hand().image(bitpix, {2}).card("BZERO", zero).card("BSCALE", "1.0").data(raw).bytes());
  };
  auto i8 = image(8, "-128", std::vector<std::uint8_t>{0, 255});
  CHECK(i8->format().type == DataType::int8);
  CHECK(read<std::int8_t>(*i8) == std::vector<std::int8_t>{-128, 127});
  auto u16 = image(16, "32768", std::vector<std::int16_t>{-32768, 32767});
  CHECK(u16->format().type == DataType::uint16);
  CHECK(read<std::uint16_t>(*u16) == std::vector<std::uint16_t>{0, 65535});
  auto u32 = image(32, "2147483648.", std::vector<std::int32_t>{INT32_MIN, INT32_MAX});
  CHECK(u32->format().type == DataType::uint32);
  CHECK(read<std::uint32_t>(*u32) == std::vector<std::uint32_t>{0, UINT32_MAX});
  auto u64 = image(64, "9223372036854775808", std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
  CHECK(u64->format().type == DataType::uint64);
  CHECK(read<std::uint64_t>(*u64) == std::vector<std::uint64_t>{0, UINT64_MAX});
  auto i16 = image(16, "0.0", std::vector<std::int16_t>{-32768, 32767});
  CHECK(i16->format().type == DataType::int16);
  auto f32 = image(-32, "0.0", std::vector<float>{-1, 0.5});
  CHECK(f32->format().type == DataType::float32);
  CHECK(read<float>(*f32) == std::vector<float>{-1, 0.5});
  CHECK(f32->keywords().empty());
}

TEST_CASE("scaled values are of a type wide enough for them") {
  const auto image = [](int bitpix, const char* scale, const char* zero, auto raw) {
    return only_image_of(
        Hand().image(bitpix, {2}).card("BSCALE", scale).card("BZERO", zero).data(raw).bytes());
  };
  auto narrow = image(16, "0.5", "100.0", std::vector<std::int16_t>{-3, 32767});
  CHECK(narrow->format().type == DataType::float32);
  CHECK(read<float>(*narrow) == std::vector<float>{98.5, 16483.5});
  auto offset = image(16, "1.0", "1000.0", std::vector<std::int16_t>{-3, 32767});
  CHECK(offset->format().type == DataType::float32);
  CHECK(read<float>(*offset) == std::vector<float>{997, 33767});
  auto far_offset = image(16, "0.001", "1.0E6", std::vector<std::int16_t>{1, 2});
  CHECK(far_offset->format().type == DataType::float64);
  CHECK(read<double>(*far_offset)[0] == doctest::Approx(1000000.001).epsilon(1e-12));
  auto wide = image(32, "2.0", "0.0", std::vector<std::int32_t>{INT32_MAX, -1});
  CHECK(wide->format().type == DataType::float64);
  CHECK(read<double>(*wide) == std::vector<double>{4294967294.0, -2});
  auto large = image(8, "1.0E38", "0.0", std::vector<std::uint8_t>{0, 255});
  CHECK(large->format().type == DataType::float64);
  CHECK(read<double>(*large) == std::vector<double>{0, 255e38});
  auto real = image(-32, "2.0", "1.0", std::vector<float>{0.5, -1});
  CHECK(real->format().type == DataType::float64);
  CHECK(read<double>(*real) == std::vector<double>{2, -1});
  auto flat = image(16, "0.0", "7.0", std::vector<std::int16_t>{1, 2});
  CHECK(flat->format().type == DataType::float64);
  CHECK(read<double>(*flat) == std::vector<double>{7, 7});
}

TEST_CASE("BLANK is NaN in scaled values and a number in plain ones") {
  const std::vector<std::int16_t> raw{-32768, 4};
  auto scaled = only_image_of(
      Hand().image(16, {2}).card("BSCALE", "0.5").card("BLANK", -32768).data(raw).bytes());
  const auto values = read<float>(*scaled);
  CHECK(std::isnan(values[0]));
  CHECK(values[1] == 2);
  auto plain = only_image_of(Hand().image(16, {2}).card("BLANK", -32768).data(raw).bytes());
  CHECK(read<std::int16_t>(*plain) == raw);
  CHECK(scaled->keywords().empty());
}

TEST_CASE("read wants exactly the image's bytes") {
  auto image = only_image_of(image_with({}));
  Bytes two(2);
  check_message(error_of([&] { image->read(two); }), Problem::usage,
                "2 bytes given for an image of 1");
  check_message(error_of([] {
                  static_cast<void>(to_fits(Hdu::primary, DataType::int16, {2, 3}, Bytes(5), {}));
                }),
                Problem::usage, "5 bytes given for 2x3 of int16");
}

// ---- Axes

TEST_CASE("axes of length one are dropped where there are more than three") {
  const std::vector<std::uint8_t> data(24);
  const auto shape = [&](const std::vector<long long>& axes) {
    return only_image_of(Hand().image(8, axes).data(data).bytes())->format().shape;
  };
  CHECK(shape({24}) == Shape{24});
  CHECK(shape({2, 3, 4}) == Shape{2, 3, 4});
  CHECK(shape({24, 1, 1}) == Shape{24, 1, 1});
  CHECK(shape({2, 3, 4, 1}) == Shape{2, 3, 4});
  CHECK(shape({1, 6, 1, 4}) == Shape{1, 6, 4});
  CHECK(shape({1, 1, 24, 1, 1}) == Shape{1, 1, 24});
}

TEST_CASE("axes that no stream has are named") {
  const auto error = [](const std::vector<long long>& axes) {
    return error_of(
        [&] { images_of(Hand().image(8, axes).data(std::vector<std::uint8_t>(48)).bytes()); });
  };
  check_message(error({4, 3, 2, 2}), Problem::not_an_image,
                "memory: has 4 axes (4x3x2x2); a stream has one to three");
  check_message(error({4, 0}), Problem::not_an_image, "has an axis of length 0 (4x0)");
}

TEST_CASE("an axis may be longer than a stream's") {
  const FitsDirectory directory;
  const std::string file = directory.add(
      "x.fits", Hand().image(8, {4294967296}).data(std::vector<std::uint8_t>(1)).bytes());
  fs::resize_file(file, 2880 + 1491309 * std::uintmax_t{2880});  // a hole: no disk is used
  check_message(error_of_opening(file), Problem::not_an_image,
                "has an axis of length 4294967296 (4294967296); a stream's have 1 to 4294967295");
}

// ---- Which HDU

Bytes three_hdus() {
  return Hand()
      .image(8, {})
      .data<std::uint8_t>({})
      .extension(16, {3, 2}, "SCI")
      .card("EXTVER", 1)
      .data<std::int16_t>({1, 2, 3, 4, 5, 6})
      .extension(16, {2}, "SCI")
      .card("EXTVER", 2)
      .data<std::int16_t>({7, 8})
      .bytes();
}

TEST_CASE("the first HDU that holds an image is taken, or the one that is named") {
  const FitsDirectory directory;
  const std::string file = directory.add("x.fits", three_hdus());
  const auto values = [&](const std::string& hdu) {
    return read<std::int16_t>(*open_fits(file + hdu));
  };
  const std::vector<std::int16_t> first{1, 2, 3, 4, 5, 6};
  const std::vector<std::int16_t> second{7, 8};
  CHECK(values("") == first);
  CHECK(values("[1]") == first);
  CHECK(values("[2]") == second);
  CHECK(values("[SCI]") == first);
  CHECK(values("[sci, 2]") == second);
  check_message(error_of_opening(file + "[0]"), Problem::not_an_image,
                "x.fits[0]: HDU 0 holds no image");
  check_message(error_of_opening(file + "[PRIMARY]"), Problem::not_an_image,
                "HDU 0 holds no image");
  check_message(error_of_opening(file + "[3]"), Problem::not_an_image,
                "has no HDU 3; its last is 2");
  check_message(error_of_opening(file + "[DARK]"), Problem::not_an_image, "has no HDU named DARK");
  check_message(error_of_opening(file + "[SCI,3]"), Problem::not_an_image,
                "has no HDU named SCI of version 3");
}

TEST_CASE("a section of an image") {
  const FitsDirectory directory;
  const std::string file = directory.add("x.fits", three_hdus());
  const auto values = [&](const std::string& section) {
    return read<std::int16_t>(*open_fits(file + section));
  };
  CHECK(open_fits(file + "[2:3,*]")->format().shape == Shape{2, 2});
  CHECK(values("[2:3,*]") == std::vector<std::int16_t>{2, 3, 5, 6});
  CHECK(values("[SCI,1][-*, 2:2]") == std::vector<std::int16_t>{6, 5, 4});
  CHECK(values("[1][*:2]") == std::vector<std::int16_t>{1, 3, 4, 6});
  CHECK(values("[2][2:1]") == std::vector<std::int16_t>{8, 7});
  check_message(error_of_opening(file + "[2:9,*]"), Problem::usage,
                "[2:9,*]: the section reaches beyond axis 1, which has 3 pixels");
  check_message(error_of_opening(file + "[*,*,*]"), Problem::usage,
                "the section has 3 axes, the image 2");
}

TEST_CASE("a section keeps type, scaling and keywords") {
  const FitsDirectory directory;
  const std::vector<std::uint64_t> values{1, UINT64_MAX, 3};
  const std::vector<Keyword> keywords{{"GAIN", 1.5, "e/adu"}};
  const std::string file = directory.add(
      "u64.fits", to_fits(Hdu::primary, DataType::uint64, {3}, raw_bytes(values), keywords));
  const auto image = open_fits(file + "[2:3]");
  CHECK(image->format().type == DataType::uint64);
  CHECK(read<std::uint64_t>(*image) == std::vector<std::uint64_t>{UINT64_MAX, 3});
  CHECK(lines(image->keywords()) == lines(keywords));

  const Bytes scaled = Hand()
                           .image(16, {3})
                           .card("BSCALE", "0.5")
                           .card("BLANK", 9)
                           .data<std::int16_t>({1, 2, 9})
                           .bytes();
  const auto part = open_fits(directory.add("scaled.fits", scaled) + "[2:3]");
  CHECK(part->format().type == DataType::float32);
  CHECK(read<float>(*part)[0] == 1);
  CHECK(std::isnan(read<float>(*part)[1]));
}

TEST_CASE("a section of four axes may be one of three") {
  const FitsDirectory directory;
  const std::vector<std::uint8_t> data{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const std::string file =
      directory.add("x.fits", Hand().image(8, {2, 2, 2, 2}).data(data).bytes());
  const auto image = open_fits(file + "[1:1,*,*,-*]");
  CHECK(image->format().shape == Shape{2, 2, 2});
  CHECK(read<std::uint8_t>(*image) == std::vector<std::uint8_t>{9, 11, 13, 15, 1, 3, 5, 7});
}

TEST_CASE("world coordinates go along with a section") {
  const FitsDirectory directory;
  Hand hand;
  hand.image(8, {10, 10}).card("CRPIX1", "5.5").card("CRPIX2", "5.5").card("CRPIX1A", 1);
  hand.card("CDELT1", "2.0").card("CDELT2", "3.0").card("CD1_1", "0.5").card("CD2_1", "0.25");
  hand.card("CRPIX3", "7.0").card("CRVAL1", "100.0").card("CDS_1", "1.0");
  const std::string file =
      directory.add("x.fits", hand.data(std::vector<std::uint8_t>(100)).bytes());
  CHECK(lines(open_fits(file + "[4:10:3,-*]")->keywords()) ==
        lines(std::vector<Keyword>{{"CRPIX1", 1.5, ""},
                                   {"CRPIX2", 5.5, ""},
                                   {"CRPIX1A", 0.0, ""},
                                   {"CDELT1", 6.0, ""},
                                   {"CDELT2", -3.0, ""},
                                   {"CD1_1", 1.5, ""},
                                   {"CD2_1", 0.75, ""},
                                   {"CRPIX3", 7.0, ""},
                                   {"CRVAL1", 100.0, ""},
                                   {"CDS_1", 1.0, ""},
                                   {"CDELT1A", 3.0, ""}}));
  CHECK(lines(open_fits(file + "[*,*]")->keywords()) == lines(open_fits(file)->keywords()));
}

TEST_CASE("world coordinates go along with a slice of a stream") {
  const std::vector<Keyword> keywords{
      {"CRPIX1", 2.0, ""},  {"CRPIX2", std::int64_t{5}, ""},
      {"CRPIX1A", 1.0, ""}, {"CDELT1", 0.5, ""},
      {"CD1_2", 0.25, ""},  {"CD2_1", 0.125, ""},
      {"CRPIX3", 7.0, ""},  {"CRVAL1", 100.0, ""},
      {"PC1_2", 0.5, ""},   {"PC2_1A", 0.5, ""},
      {"PC2_2", 1.0, ""},   {"OBJECT", "CRPIX1", ""},
      {"CDELT1A", 2.0, ""},
  };
  // `first` to `last` of x, every `step`, binned or not; y as it is or reversed.
  const auto moved = [&](AxisSlice x, AxisSlice y) {
    return lines(move_world(keywords, Selection({x, y}, Shape{10, 8}, DataType::float32)));
  };
  const auto with = [&](const std::vector<Keyword>& values) {
    std::vector<Keyword> changed = keywords;
    for (const Keyword& value : values) {
      for (Keyword& keyword : changed) {
        keyword.value = keyword.name == value.name ? value.value : keyword.value;
      }
    }
    return lines(changed);
  };
  AxisSlice part;
  part.first = 1;
  part.last = 4;
  CHECK(moved({}, {}) == lines(keywords));
  CHECK(moved(part, {}) == with({{"CRPIX1", 1.0, ""}, {"CRPIX1A", 0.0, ""}}));
  AxisSlice second;
  second.step = 2;
  CHECK(moved(second, {}) == with({{"CRPIX1", 1.5, ""},
                                   {"CDELT1", 1.0, ""},
                                   {"CD2_1", 0.25, ""},
                                   {"PC1_2", 0.25, ""},
                                   {"PC2_1A", 1.0, ""},
                                   {"CDELT1A", 4.0, ""}}));
  AxisSlice bins = second;
  bins.bin = true;
  CHECK(moved(bins, {}) == with({{"CRPIX1", 1.25, ""},
                                 {"CRPIX1A", 0.75, ""},
                                 {"CDELT1", 1.0, ""},
                                 {"CD2_1", 0.25, ""},
                                 {"PC1_2", 0.25, ""},
                                 {"PC2_1A", 1.0, ""},
                                 {"CDELT1A", 4.0, ""}}));
  AxisSlice back;
  back.reversed = true;
  CHECK(
      moved({}, back) ==
      with({{"CRPIX2", 4.0, ""}, {"CD1_2", -0.25, ""}, {"PC1_2", -0.5, ""}, {"PC2_2", -1.0, ""}}));
  // Of 8, backwards in threes: the middle of 7 6 5 is pixel 6, which FITS calls 7.
  back.step = 3;
  back.bin = true;
  CHECK(moved({}, back) == with({{"CRPIX2", (5.0 - 7) / -3 + 1, ""},
                                 {"CD1_2", -0.75, ""},
                                 {"PC1_2", -1.5, ""},
                                 {"PC2_2", -3.0, ""}}));
}

TEST_CASE("a scale that is not there is 1, and must be there after a step") {
  AxisSlice second;
  second.step = 2;
  const auto moved = [&](const std::vector<Keyword>& keywords) {
    return lines(move_world(keywords, Selection({second, {}}, Shape{10, 8}, DataType::float32)));
  };
  CHECK(moved({{"CRPIX1", 1.0, ""}, {"CRPIX2", 1.0, ""}, {"PC2_1", 0.5, ""}}) ==
        lines(std::vector<Keyword>{
            {"CRPIX1", 1.0, ""}, {"CRPIX2", 1.0, ""}, {"PC2_1", 1.0, ""}, {"CDELT1", 2.0, ""}}));
  CHECK(moved({{"CRPIX1", 1.0, ""}, {"CD1_2", 0.5, ""}}) ==
        lines(std::vector<Keyword>{{"CRPIX1", 1.0, ""}, {"CD1_2", 0.5, ""}}));
}

TEST_CASE("extended syntax that does more than name is refused") {
  const FitsDirectory directory;
  const std::string file = directory.add("x.fits", three_hdus());
  const auto refused = [&](const std::string& brackets, const std::string& why) {
    check_message(error_of_opening(file + brackets), Problem::usage, brackets + why);
  };
  refused("[PI > 5]", " is a filter");
  refused("[col X=Y*2]", " is a filter");
  refused("[bin (X,Y)=4]", " is a filter");
  refused("[pix sqrt(X)]", " is a filter");
  refused("[compress Rice]", " is a filter");
  refused("[1;col a]", " is a filter");
  refused("[]", " names nothing");
  refused("[5,6]", " is not an image section: \"5\" is not first:last");
  refused("[0:5]", " is not an image section: \"0:5\"");
  check_message(error_of_opening(file + "[1:2][1]"), Problem::usage,
                "[1] stands after the image section");
  check_message(error_of_opening(file + "[1][2]"), Problem::usage, "[2] is a second HDU");
  check_message(error_of_opening(file + "[SCI,x]"), Problem::usage, "[SCI,x] is no HDU");
  check_message(error_of_opening(file + "[1"), Problem::usage,
                "\"[1\" is not [HDU] nor [image section]");
  check_message(error_of_opening(file + "[1]+2"), Problem::usage, "\"+2\" is not [HDU]");
  CHECK(open_fits(file)->format().shape == Shape{3, 2});
}

TEST_CASE("a file name is taken as it stands") {
  const FitsDirectory directory;
  for (const char* name : {"x(copy.fits)", "a|b", "!x.fits", "x.fits+1", "x[1].fits", "x[1]",
                           "file with blanks ", "-", "stdin", "~nobody.fits", "mem:x.fits"}) {
    CAPTURE(name);
    CHECK(open_fits(directory.add(name, image_with({})))->format().shape == Shape{1});
  }
  CHECK_FALSE(fs::exists(directory / "copy.fits"));
  const fs::path before = fs::current_path();
  fs::current_path(directory / ".");
  CHECK(open_fits("~nobody.fits")->format().shape == Shape{1});
  CHECK(open_fits("-")->format().shape == Shape{1});
  fs::current_path(before);
}

TEST_CASE("each image of a file in memory, read in any order") {
  const auto images = images_of(three_hdus());
  REQUIRE(images.size() == 2);
  CHECK(read<std::int16_t>(*images[1]) == std::vector<std::int16_t>{7, 8});
  CHECK(read<std::int16_t>(*images[0]) == std::vector<std::int16_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a file is continued by extensions") {
  Bytes fits = to_fits(Hdu::primary, DataType::uint16, {2}, raw_bytes<std::uint16_t>({1, 65535}),
                       std::vector<Keyword>{{"N", 1L, ""}});
  const Bytes second =
      to_fits(Hdu::extension, DataType::int8, {2, 1, 2}, raw_bytes<std::int8_t>({-128, 1, 2, 127}),
              std::vector<Keyword>{{"N", 2L, "the second"}});
  CHECK(text_of(second).starts_with("XTENSION= 'IMAGE   '"));
  CHECK(second.size() == 2 * 2880);
  fits.insert(fits.end(), second.begin(), second.end());
  const auto images = images_of(fits);
  REQUIRE(images.size() == 2);
  CHECK(read<std::uint16_t>(*images[0]) == std::vector<std::uint16_t>{1, 65535});
  CHECK(images[1]->format().type == DataType::int8);
  CHECK(images[1]->format().shape == Shape{2, 1, 2});
  CHECK(read<std::int8_t>(*images[1]) == std::vector<std::int8_t>{-128, 1, 2, 127});
  CHECK(lines(images[1]->keywords()) == lines(std::vector<Keyword>{{"N", 2L, "the second"}}));
}

// ---- Compressed files

TEST_CASE("gzip reads like a plain file") {
  const FitsDirectory directory;
  const std::vector<std::uint16_t> values{1, 2, 65535, 4};
  const std::string file = directory / "x.fits.gz";
  save(to_fits(Hdu::primary, DataType::uint16, {2, 2}, raw_bytes(values), {}), file);
  std::array<char, 2> magic{};
  std::ifstream(file).read(magic.data(), magic.size());
  CHECK(std::string_view(magic.data(), magic.size()) == "\x1f\x8b");
  const auto image = open_fits(file);
  CHECK(image->format().type == DataType::uint16);
  CHECK(read<std::uint16_t>(*image) == values);
  CHECK(read<std::uint16_t>(*open_fits(file + "[0][2:2,*]")) == std::vector<std::uint16_t>{2, 4});
}

TEST_CASE("gzip of something else is told") {
  const FitsDirectory directory;
  const std::array<unsigned char, 20> nothing{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3};
  check_message(error_of_opening(directory.add("nothing.gz", std::as_bytes(std::span(nothing)))),
                Problem::not_an_image, "nothing.gz: is gzip, and holds no FITS file");
  check_message(
      error_of_opening(directory.add("cut.gz", std::as_bytes(std::span(nothing).first(11)))),
      Problem::failed, "cut.gz: is truncated or damaged: unexpected end of file (zlib -5)");
}

TEST_CASE("gzip of several members is read to its end") {
  const FitsDirectory directory;
  const std::vector<std::uint16_t> values(5000, 77);
  const Bytes fits = to_fits(Hdu::primary, DataType::uint16, {5000}, raw_bytes(values), {});
  // Two members that hold one FITS file each: what is read is both, one behind the other.
  const std::string file = directory / "x.fits.gz";
  save(fits, file);
  Bytes members = test::bytes_of(file);
  const Bytes again = members;
  members.insert(members.end(), again.begin(), again.end());
  check_message(error_of([&] {
                  static_cast<void>(open_fits_images(directory.add("twice.fits.gz", members)));
                }),
                Problem::failed, "first keyword not XTENSION");
  CHECK(read<std::uint16_t>(*open_fits(directory / "twice.fits.gz")) == values);
}

template <class T>
void check_tiles(DataType type, int image, int memory, int compression) {
  const FitsDirectory directory;
  const std::string file = directory / "x.fits.fz";
  std::vector<T> values(64 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(std::numeric_limits<T>::max() - static_cast<T>(i * i % 97));
  }
  if constexpr (std::is_floating_point_v<T>) {
    values[5] = std::numeric_limits<T>::quiet_NaN();
    values[6] = std::numeric_limits<T>::infinity();
    values[7] = std::numeric_limits<T>::denorm_min();
  }
  save_tiles(values, image, memory, compression, 0, file);
  const std::vector<Keyword> keywords{{"EXPTIME", 0.1, "[s]"}};
  const auto whole = open_fits(file);
  CAPTURE(to_string(type));
  CHECK(whole->format().type == type);
  CHECK(whole->format().shape == Shape{64, 3});
  CHECK(raw_bytes(read<T>(*whole)) == raw_bytes(values));
  CHECK(lines(whole->keywords()) == lines(keywords));
  CHECK(lines(whole->unfit_keywords()) == "");
  const auto section = open_fits(file + "[5:8,2:2]");
  CHECK(section->format().type == type);
  CHECK(raw_bytes(read<T>(*section)) ==
        raw_bytes(std::vector<T>(values.begin() + 68, values.begin() + 72)));
}

TEST_CASE("tile-compressed images read like plain ones") {
  check_tiles<std::uint8_t>(DataType::uint8, BYTE_IMG, TBYTE, RICE_1);
  check_tiles<std::int8_t>(DataType::int8, SBYTE_IMG, TSBYTE, RICE_1);
  check_tiles<std::int16_t>(DataType::int16, SHORT_IMG, TSHORT, RICE_1);
  check_tiles<std::uint16_t>(DataType::uint16, USHORT_IMG, TUSHORT, RICE_1);
  check_tiles<std::int32_t>(DataType::int32, LONG_IMG, TINT, GZIP_2);
  check_tiles<std::uint32_t>(DataType::uint32, ULONG_IMG, TUINT, RICE_1);
  check_tiles<float>(DataType::float32, FLOAT_IMG, TFLOAT, GZIP_1);
  check_tiles<double>(DataType::float64, DOUBLE_IMG, TDOUBLE, GZIP_2);
}

TEST_CASE("floats that were compressed as integers are floats again") {
  const FitsDirectory directory;
  const std::string file = directory / "x.fits.fz";
  std::vector<float> values(4096);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 1000 + static_cast<float>(i * 7919 % 101);
  }
  values[70] = -1;
  save_tiles(values, FLOAT_IMG, TFLOAT, RICE_1, 4, file);
  const auto image = open_fits(file);
  CHECK(image->format().type == DataType::float32);
  const auto read_back = read<float>(*image);
  CHECK(std::isnan(read_back[70]));
  CHECK(read_back[71] == doctest::Approx(values[71]).epsilon(0.02));
}

/// Noise, which is what floats are compressed as integers for; -1 is a pixel without a value.
template <class T>
std::vector<T> noise_with_holes() {
  std::vector<T> values(4096);
  std::uint32_t state = 1;
  for (T& value : values) {
    state = state * 1664525 + 1013904223;
    value = 100 + static_cast<T>(state >> 16) / 6553;
  }
  values[70] = values[4095] = -1;
  values[3000] = std::numeric_limits<T>::infinity();  // for which its tile stays as it is
  return values;
}

template <class T>
void check_nan_of_tiles(int image, int memory, int compression) {
  CAPTURE(compression);
  const FitsDirectory directory;
  const std::string file = directory / "x.fits.fz";
  const std::vector<T> values = noise_with_holes<T>();
  save_tiles(values, image, memory, compression, 4, file);
  const std::vector<T> whole = read<T>(*open_fits(file));
  CHECK(whole[71] != values[71]);  // or it was not compressed as an integer
  CHECK(std::isnan(whole[70]));
  CHECK(std::isnan(whole[4095]));
  CHECK(whole[3000] == values[3000]);
  CHECK(read<T>(*open_fits(file + "[1:64,1:64]"))[3000] == values[3000]);
  CHECK(std::count_if(whole.begin(), whole.end(), [](T value) { return std::isnan(value); }) == 2);
  CHECK(std::isnan(read<T>(*open_fits(file + "[7:7,2:2]"))[0]));
  CHECK(std::isnan(read<T>(*open_fits_images(file).front())[70]));
}

TEST_CASE("a pixel without a value is NaN in floats that were compressed as integers") {
  for (const int compression : {RICE_1, GZIP_1, GZIP_2, HCOMPRESS_1}) {
    check_nan_of_tiles<float>(FLOAT_IMG, TFLOAT, compression);
    check_nan_of_tiles<double>(DOUBLE_IMG, TDOUBLE, compression);
  }
}

// ---- Files that are none, or not whole

TEST_CASE("what is not a FITS file is told") {
  const FitsDirectory directory;
  check_message(error_of_opening(directory / "none.fits"), Problem::failed,
                "none.fits: cannot be read: No such file or directory");
  check_message(error_of_opening(directory / "none.fits[1]"), Problem::failed,
                "none.fits[1]: cannot be read: No such file or directory");
  check_message(error_of_opening("https://example.org/x.fits"), Problem::usage,
                "is a URL; only local files are read");
  check_message(error_of_opening(directory / "."), Problem::not_an_image,
                "is a directory, not a FITS file");
  fs::create_symlink("nowhere.fits", directory / "link.fits");
  check_message(error_of_opening(directory / "link.fits"), Problem::dangling_link,
                "link.fits: is a link to a file that is not there");
  check_message(error_of_opening("/dev/null"), Problem::not_an_image, "is not a regular file");
  check_message(error_of_opening(directory.add("empty.fits", {})), Problem::not_an_image,
                "empty.fits: is empty");
  const std::string text(6000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  check_message(error_of_opening(directory.add("text.fits", bytes)), Problem::not_an_image,
                "text.fits: is not a FITS file");
  check_message(error_of([&] { images_of(Bytes(bytes.begin(), bytes.end())); }),
                Problem::not_an_image, "memory: is not FITS");
  check_message(error_of_opening(directory.add(std::string(200, 'd'), bytes) + "/x.fits"),
                Problem::no_directory, "Not a directory");
}

TEST_CASE("a file that may not be read is told") {
  const FitsDirectory directory;
  const std::string file = directory.add("x.fits", image_with({}));
  fs::permissions(file, fs::perms::none);
  const NotRoot not_root;
  check_message(error_of_opening(file), Problem::no_permission, "Permission denied");
}

TEST_CASE("a file without an image is told") {
  const FitsDirectory directory;
  const Bytes empty = Hand().image(8, {}).data<std::uint8_t>({}).bytes();
  check_message(error_of_opening(directory.add("empty.fits", empty)), Problem::not_an_image,
                "empty.fits: holds no image");
  check_message(error_of([&] { images_of(empty); }), Problem::not_an_image,
                "memory: holds no image");
  Hand table;
  table.image(8, {}).data<std::uint8_t>({});
  table.image(8, {4, 1}, "XTENSION= 'BINTABLE'");
  table.card("TFIELDS", 1).card("TFORM1", "'1J      '").card("EXTNAME", "'EVENTS  '");
  const std::string file = directory.add("table.fits", table.data<std::int32_t>({5}).bytes());
  check_message(error_of_opening(file), Problem::not_an_image, "table.fits: holds no image");
  check_message(error_of_opening(file + "[EVENTS]"), Problem::not_an_image, "HDU 1 holds no image");
}

TEST_CASE("a truncated file is never read as zeros") {
  const FitsDirectory directory;
  const std::vector<std::int16_t> values(4000, 7);
  Bytes fits = to_fits(Hdu::primary, DataType::int16, {100, 40}, raw_bytes(values), {});
  CHECK(fits.size() == 4 * 2880);
  const auto cut = [&](std::size_t bytes) {
    return directory.add("cut.fits", std::span(fits).first(bytes));
  };
  const std::string needs = "is truncated: it has 5000 bytes, and HDU 0 needs 10880";
  check_message(error_of_opening(cut(5000)), Problem::failed, needs);
  check_message(error_of_opening(cut(5000) + "[1:5,*]"), Problem::failed, needs);
  check_message(error_of_opening(cut(10879)), Problem::failed, "is truncated: it has 10879 bytes");
  check_message(error_of_opening(cut(2880)), Problem::failed, "is truncated: it has 2880 bytes");
  check_message(error_of_opening(cut(1000)), Problem::failed, "is truncated: it has 1000 bytes");
  check_message(error_of_opening(cut(400)), Problem::failed, "is truncated or cannot be read");
  const std::string gzip = directory / "x.fits.gz";
  save(fits, gzip);
  fs::resize_file(gzip, fs::file_size(gzip) * 2 / 3);
  check_message(error_of_opening(gzip), Problem::failed, "is truncated");
  fits.resize(5000);
  check_message(error_of([&] { images_of(fits); }), Problem::failed, needs);
  fits.resize(400);
  check_message(error_of([&] { images_of(fits); }), Problem::failed,
                "is truncated or cannot be read");
}

TEST_CASE("a file whose last block is not filled is whole if its pixels are there") {
  const FitsDirectory directory;
  for (const std::size_t count : {std::size_t{6}, std::size_t{1440}, std::size_t{300000}}) {
    CAPTURE(count);
    std::vector<std::int16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = static_cast<std::int16_t>(i * 7919 - 30000);
    }
    const Bytes fits = to_fits(Hdu::primary, DataType::int16, {static_cast<std::uint32_t>(count)},
                               raw_bytes(values), {});
    const auto end = fits.begin() + static_cast<std::ptrdiff_t>(2880 + 2 * count);
    const Bytes bare(fits.begin(), end);
    const std::string file = directory.add("bare.fits", bare);
    CHECK(read<std::int16_t>(*open_fits(file)) == values);
    CHECK(read<std::int16_t>(*open_fits(file + "[2:2]"))[0] == values[1]);
    CHECK(read<std::int16_t>(*only_image_of(bare)) == values);
    const Bytes odd(fits.begin(), end - 1);
    const std::string needs =
        fmt::format("is truncated: it has {} bytes, and HDU 0 needs {}", odd.size(), bare.size());
    check_message(error_of_opening(directory.add("odd.fits", odd)), Problem::failed, needs);
    check_message(error_of([&] { images_of(odd); }), Problem::failed, needs);
  }
}

TEST_CASE("the last HDU may be without filling, after others and as tiles") {
  const FitsDirectory directory;
  Bytes fits = three_hdus();
  fits.resize(fits.size() - 2880 + 4);
  CHECK(read<std::int16_t>(*open_fits(directory.add("x.fits", fits) + "[2]")) ==
        std::vector<std::int16_t>{7, 8});
  const std::string tiles = directory / "x.fits.fz";
  const std::vector<std::int16_t> values(128, 5);
  save_tiles(values, SHORT_IMG, TSHORT, RICE_1, 0, tiles);
  const Bytes filled = test::bytes_of(tiles);
  const std::string text = text_of(filled);
  const std::size_t header = std::size_t{2} * 2880;
  const std::size_t heap = std::stoul(text.substr(text.rfind("PCOUNT  =") + 10, 20));
  const std::size_t rows = 2 * std::stoul(text.substr(text.rfind("NAXIS1  =", header) + 10, 20));
  const std::size_t end = header + rows + heap;
  const auto cut = [&](std::size_t size) {
    return directory.add("cut.fits.fz", std::span(filled).first(size));
  };
  CHECK(read<std::int16_t>(*open_fits(cut(end))) == values);
  check_message(error_of_opening(cut(end - 1)), Problem::failed, "is truncated: it has");
}

TEST_CASE("sizes beyond any file are told as they are") {
  const FitsDirectory directory;
  const auto error = [&](int bitpix, const std::vector<long long>& axes) {
    return error_of_opening(directory.add(
        "x.fits", Hand().image(bitpix, axes).data(std::vector<std::uint8_t>(1)).bytes()));
  };
  check_message(error(32, {4294967295, 4294967295}), Problem::failed,
                "it has 5760 bytes, and HDU 0 needs 73786976260478470980");
  check_message(error(64, {2147483648, 1073741824}), Problem::failed,  // 2^64, which wraps to 0
                "it has 5760 bytes, and HDU 0 needs 18446744073709554496");
  check_message(error(-32, {65536, 65536, 4294967295}), Problem::failed,
                "it has 5760 bytes, and HDU 0 needs 73786976277658340160");
  check_message(error(8, std::vector<long long>(3, 9223372036854775807)), Problem::failed,
                "it has 5760 bytes, and HDU 0 needs more than 2^128");
}

TEST_CASE("what follows the last HDU is not passed over") {
  Bytes fits = image_with({});
  const Bytes again = fits;
  fits.insert(fits.end(), again.begin(), again.end());
  check_message(error_of([&] { images_of(fits); }), Problem::failed, "first keyword not XTENSION");
}

// ---- Keywords

TEST_CASE("keywords go out and come back") {
  const std::vector<Keyword> keywords{
      {"EXPTIME", 0.1, "[s] exposure"},
      {"TINY", 1e-300, ""},
      {"PI", std::numbers::pi, "a comment / with a slash"},
      {"MAXIMUM", std::numeric_limits<double>::max(), ""},
      {"SUBNORM", std::numeric_limits<double>::denorm_min(), ""},
      {"WHOLE", 5.0, ""},
      {"MINUSZ", -0.0, ""},
      {"LOWEST", std::numeric_limits<std::int64_t>::min(), ""},
      {"HIGHEST", std::numeric_limits<std::int64_t>::max(), "largest"},
      {"OBJECT", "M 31", "what it shows"},
      {"QUOTES", "''it's '", "it's"},
      {"SIXTEEN", "''''''''''''''''", ""},
      {"NONE", "", "an empty string"},
      {"LEADING", "  two blanks", ""},
      {"AMPERS", "this and &", ""},
      {"lower", std::int64_t{1}, "small letters"},
      {"LONGERTHANEIGHT", std::int64_t{2}, ""},
      {"ESO DET ID", "''''''''''''''''", "with blanks"},
      {"A.B", 2.5, ""},
      {"X-Y_Z9", std::int64_t{3}, ""},
      {"ZSCALE", std::int64_t{4}, "not structural in a plain image"},
  };
  const auto image = only_image_of(image_with(keywords));
  CHECK(image->unfit_keywords().empty());
  CHECK(image->format().keywords == keywords.size());
  REQUIRE(image->keywords().size() == keywords.size());
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    CAPTURE(keywords[i].name);
    CHECK(image->keywords()[i].name == keywords[i].name);
    CHECK(image->keywords()[i].comment == keywords[i].comment);
    CHECK((image->keywords()[i].value == keywords[i].value));
  }
  CHECK(only_image_of(image_with({}))->format().keywords == 10);
}

TEST_CASE("cards are as FITS writes them") {
  const Bytes fits = image_with({{"EXPTIME", 0.1, "[s]"},
                                 {"TINY", 1e-300, ""},
                                 {"N", std::int64_t{-7}, ""},
                                 {"OBJECT", "it's", "what"},
                                 {"lower", std::int64_t{1}, "small"}});
  CHECK(lines(cards_of(fits)) ==
        lines(std::vector<std::string>{
            "SIMPLE  =                    T / file does conform to FITS standard",
            "BITPIX  =                    8 / number of bits per data pixel",
            "NAXIS   =                    1 / number of data axes",
            "NAXIS1  =                    1 / length of data axis 1",
            "EXTEND  =                    T / FITS dataset may contain extensions",
            "EXPTIME =                  0.1 / [s]", "TINY    =             1.0E-300",
            "N       =                   -7", "OBJECT  = 'it''s   '           / what",
            "HIERARCH lower =                    1 / small"}));
}

TEST_CASE("what FITS cannot hold is marked, cut or left out as promised") {
  const std::string comment(79, 'c');
  const Bytes fits = image_with({{"NOTANUM", NAN, "what"},
                                 {"INFINITE", -INFINITY, ""},
                                 {"LONGCOMM", std::int64_t{1}, comment},
                                 {"NAXIS", std::int64_t{9}, ""},
                                 {"NAXIS7", std::int64_t{9}, ""},
                                 {"BZERO", 3.0, ""},
                                 {"COMMENT", "no", ""},
                                 {"END", "no", ""},
                                 {"CHECKSUM", "no", ""},
                                 {"\xC2\xB5m=", "\xC2\xB5m\n", "\xC2\xB5"}});
  CHECK(has_card(fits, "NOTANUM =                      / what"));
  CHECK(has_card(fits, "LONGCOMM=                    1 / " + comment.substr(0, 47)));
  const auto image = only_image_of(fits);
  CHECK(lines(image->unfit_keywords()) ==
        lines(std::vector<std::string>{"NOTANUM (undefined value)", "INFINITE (undefined value)"}));
  REQUIRE(image->keywords().size() == 2);
  CHECK(image->keywords()[1] == Keyword{"__m_", "??m?", "??"});
  CHECK(read<std::uint8_t>(*image) == std::vector<std::uint8_t>{0});
}

TEST_CASE("no keyword costs the frame") {
  const std::string comment(80, 'c');
  const std::vector<Keyword> keywords{
      {"FULL", std::int64_t{1}, comment},        {"SIXTEEN BYTES ok", "''''''''''''''''", comment},
      {"", std::int64_t{2}, "no name"},          {"LONG", std::string(80, 'x'), ""},
      {"CARD", std::string(68, 'y'), "no room"}, {"AFTER", std::int64_t{3}, ""}};
  const Bytes fits = image_with(keywords);
  CHECK(has_card(fits, "FULL    =                    1 / " + comment.substr(0, 47)));
  CHECK(has_card(fits, "CARD    = '" + std::string(68, 'y') + "'"));
  CHECK(has_card(fits, "AFTER   =                    3"));
  const auto cards = cards_of(fits);
  CHECK(std::none_of(cards.begin(), cards.end(),
                     [](const std::string& card) { return card.starts_with("LONG"); }));
  CHECK(lines(altered_in_fits(DataType::uint8, keywords)) ==
        lines(std::vector<std::string>{"FULL (comment of 80 bytes, 47 fit in its card)",
                                       "SIXTEEN BYTES ok (comment of 80 bytes, 15 fit in its card)",
                                       "'' (it has no name)",
                                       "LONG (name and value take 92 bytes, a card has 80)",
                                       "CARD (comment of 7 bytes, 0 fit in its card)"}));
  CHECK(read<std::uint8_t>(*only_image_of(fits)) == std::vector<std::uint8_t>{0});
}

TEST_CASE("cards of every kind are read") {
  const auto image = header_of({
      "YES     =                    T / logical",
      "NO      =                    F",
      "PLUS    =                  +12",
      "FREE    = 12/comment",
      "DEXP    =              1.5D+03",
      "POINT   =                   5.",
      "NOPOINT =                  1E2",
      "STRING  = 'it''s   '           / x",
      "PADDED  = 'blanks behind   '",
      "HIERARCH ESO DET = 3.5 / long name",
      "COMMENT not a keyword",
      "HISTORY neither",
      "NOTE      a card without a value",
      "",
      "CHECKSUM= 'abcdefgh'",
      "DATASUM = '0'",
      "INHERIT =                    F",
      "LONGSTRN= 'OGIP 1.0'",
      "EXTEND  =                    T",
      "BUNIT   = 'adu'",
  });
  CHECK(image->unfit_keywords().empty());
  CHECK(lines(image->keywords()) == lines(std::vector<Keyword>{
                                        {"YES", std::int64_t{1}, "logical"},
                                        {"NO", std::int64_t{0}, ""},
                                        {"PLUS", std::int64_t{12}, ""},
                                        {"FREE", std::int64_t{12}, "comment"},
                                        {"DEXP", 1500.0, ""},
                                        {"POINT", 5.0, ""},
                                        {"NOPOINT", 100.0, ""},
                                        {"STRING", "it's", "x"},
                                        {"PADDED", "blanks behind", ""},
                                        {"ESO DET", 3.5, "long name"},
                                        {"BUNIT", "adu", ""},
                                    }));
}

TEST_CASE("what a stream cannot hold is named, with the reason") {
  const auto image = header_of({
      "DATE    = '2022-06-15T08:19:23' / file creation date",
      "HIERARCH ESO DETECTOR GAIN = 3.5",
      "UNDEF   =                      / nothing",
      "COMPLEX =           (1.0, 2.0)",
      "HUGE    =  9223372036854775808",
      "HUGEREAL=              1.0E400",
      "ODD     =                  1-2",
      "LAST    =                    1",
  });
  CHECK(lines(image->keywords()) == lines(std::vector<Keyword>{{"LAST", std::int64_t{1}, ""}}));
  CHECK(lines(image->unfit_keywords()) ==
        lines(std::vector<std::string>{
            "DATE (string of 19 bytes, at most 16 fit)",
            "ESO DETECTOR GAIN (name of 17 bytes, at most 16 fit)", "UNDEF (undefined value)",
            "COMPLEX (complex value)", "HUGE (integer of more than 64 bits)",
            "HUGEREAL (number outside the range of a double)", "ODD (value that cannot be read)"}));
}

TEST_CASE("a string goes on in CONTINUE cards") {
  const auto image = header_of({
      "SHORT   = 'one &'              / first",
      "CONTINUE  'two&'               / second",
      "CONTINUE  ' three'",
      "AMPERS  = 'fish &'",
      "LONG    = 'more than &'",
      "CONTINUE  'sixteen bytes'",
      "NEXT    =                    1",
  });
  CHECK(lines(image->keywords()) ==
        lines(std::vector<Keyword>{{"SHORT", "one two three", "first second"},
                                   {"AMPERS", "fish &", ""},
                                   {"NEXT", std::int64_t{1}, ""}}));
  CHECK(lines(image->unfit_keywords()) ==
        lines(std::vector<std::string>{"LONG (string of 23 bytes, at most 16 fit)"}));
}

TEST_CASE("of a keyword that stands twice the first is kept, and the other told") {
  const auto image = header_of({
      "DEWPOINT=                  5.1 / first",
      "SAME    =                    1",
      "SAME    =                    1 / says no more",
      "DEWPOINT=                  7.2 / second",
      "DEWPOINT= 'warm'",
      "UNDEF   =",
      "UNDEF   =                    1",
      "HIERARCH ESO DET = 1",
      "HIERARCH ESO DET = 2",
  });
  CHECK(lines(image->keywords()) ==
        lines(std::vector<Keyword>{
            {"DEWPOINT", 5.1, "first"}, {"SAME", 1L, ""}, {"ESO DET", 1L, ""}}));
  CHECK(lines(image->unfit_keywords()) ==
        lines(std::vector<std::string>{
            "DEWPOINT (stands there again, as 7.2)", "DEWPOINT (stands there again, as 'warm')",
            "UNDEF (undefined value)", "UNDEF (stands there again, as 1)",
            "ESO DET (stands there again, as 2)"}));
}

TEST_CASE("INHERIT takes the keywords of the primary HDU, behind those of the image") {
  const auto keywords_of = [](const std::string& inherit) {
    Hand hand;
    hand.image(8, {})
        .card("EXPTIME", "1.5")
        .card("GAIN", "1.0")
        .card("OBJECT", "'a text too long'");
    hand.card("CREATOR = 'a text of more than 16 bytes'").card("EXTNAME", "'PRIME   '");
    hand.card("DATE    = '2022-06-15T08:19:23'").data<std::uint8_t>({});
    hand.extension(16, {2}, "SCI").card("GAIN", "2.0").card("INHERIT", inherit);
    hand.card("DATE    = '2022-06-15'").card("LAST", 3);
    auto images = images_of(hand.data<std::int16_t>({7, 8}).bytes());
    CHECK(read<std::int16_t>(*images.at(0)) == std::vector<std::int16_t>{7, 8});
    return lines(images[0]->keywords()) + "\n" + lines(images[0]->unfit_keywords());
  };
  const std::vector<Keyword> own{
      {"EXTNAME", "SCI", ""}, {"GAIN", 2.0, ""}, {"DATE", "2022-06-15", ""}, {"LAST", 3L, ""}};
  std::vector<Keyword> both = own;
  both.push_back({"EXPTIME", 1.5, ""});
  both.push_back({"OBJECT", "a text too long", ""});
  CHECK(keywords_of("F") == lines(own) + "\n");
  CHECK(keywords_of("T") == lines(both) + "\nCREATOR (string of 28 bytes, at most 16 fit)");
}

TEST_CASE("BLANK of exact integers is a keyword, and comes back as the card") {
  const std::vector<std::int16_t> raw{-32768, 4};
  for (const char* zero : {"0", "32768"}) {
    const auto image = only_image_of(Hand()
                                         .image(16, {2})
                                         .card("BZERO", zero)
                                         .card("BLANK   =               -32768 / no value")
                                         .data(raw)
                                         .bytes());
    CHECK(lines(image->keywords()) ==
          lines(std::vector<Keyword>{{"BLANK", std::int64_t{-32768}, "no value"}}));
    Bytes pixels(4);
    image->read(pixels);
    const Bytes again = to_fits(Hdu::primary, image->format().type, {2}, pixels, image->keywords());
    CHECK(has_card(again, "BLANK   =               -32768 / no value"));
    CHECK(lines(only_image_of(again)->keywords()) == lines(image->keywords()));
    CHECK(altered_in_fits(image->format().type, image->keywords()).empty());
  }
}

TEST_CASE("BLANK is no card where no pixel can have it") {
  const std::string told = "BLANK (FITS gives the name a meaning of its own)";
  const auto altered = [](DataType type, Keyword keyword) {
    return lines(altered_in_fits(type, std::span(&keyword, 1)));
  };
  CHECK(altered(DataType::float32, {"BLANK", std::int64_t{0}, ""}) == told);
  CHECK(altered(DataType::complex64, {"BLANK", std::int64_t{0}, ""}) == told);
  CHECK(altered(DataType::uint8, {"BLANK", std::int64_t{-1}, ""}) == told);
  CHECK(altered(DataType::int8, {"BLANK", std::int64_t{255}, ""}).empty());
  CHECK(altered(DataType::uint16, {"BLANK", std::int64_t{40000}, ""}) == told);
  CHECK(altered(DataType::int32, {"BLANK", std::int64_t{INT32_MAX} + 1, ""}) == told);
  CHECK(altered(DataType::uint64, {"BLANK", std::numeric_limits<std::int64_t>::min(), ""}).empty());
  CHECK(altered(DataType::int16, {"BLANK", 5.0, ""}) == told);
}

// ---- Which frame it was

Bytes fits_of(const FrameOrigin& origin, const std::vector<Keyword>& keywords = {}) {
  return to_fits(Hdu::primary, DataType::uint8, {1}, Bytes(1), keywords, origin);
}

FrameOrigin whole_origin() {
  return {"cam",
          {12, 3, parse_utc("2026-11-22T01:52:49.123456789"), parse_utc("2026-11-22T01:52:50.5")}};
}

TEST_CASE("a frame says which it was, and is known again by it") {
  const Bytes fits = fits_of(whole_origin(), {{"GAIN", 2.0, ""}});
  auto cards = cards_of(fits);
  cards.erase(cards.begin(), cards.begin() + 5);
  CHECK(lines(cards) ==
        lines(std::vector<std::string>{
            "EXTNAME = 'cam     '           / stream",
            "CNT0    =                   12 / frames published, up to this one",
            "CNT1    =                    3 / slice written last",
            "TIMESYS = 'UTC     '           / time scale of the dates",
            "DATE-OBS= '2026-11-22T01:52:49.123456789' / when the frame was acquired",
            "MJD-OBS =   61366.078346336304 / when the frame was acquired",
            "DATE-WRT= '2026-11-22T01:52:50.500000000' / when the frame was written",
            "MJD-WRT =    61366.07836226852 / when the frame was written",
            "GAIN    =                  2.0"}));
  const auto image = only_image_of(fits);
  CHECK(lines(image->keywords()) == lines(std::vector<Keyword>{{"GAIN", 2.0, ""}}));
  CHECK(image->unfit_keywords().empty());
  REQUIRE(image->frame());
  CHECK(image->frame()->cnt0 == 12);
  CHECK(image->frame()->cnt1 == 3);
  CHECK(image->frame()->atime == whole_origin().frame.atime);
  CHECK(image->frame()->writetime == whole_origin().frame.writetime);
  CHECK_FALSE(only_image_of(image_with({}))->frame());
}

TEST_CASE("each extension is named after its stream") {
  Bytes fits = fits_of(whole_origin());
  const Bytes second = to_fits(Hdu::extension, DataType::uint8, {1}, Bytes(1), {},
                               FrameOrigin{"wfs", {7, 0, never, never}});
  fits.insert(fits.end(), second.begin(), second.end());
  const FitsDirectory directory;
  const std::string file = directory.add("x.fits", fits);
  CHECK(open_fits(file + "[wfs]")->frame()->cnt0 == 7);
  CHECK(open_fits(file + "[wfs]")->frame()->atime == never);
  CHECK(open_fits(file + "[cam]")->frame()->cnt0 == 12);
}

TEST_CASE("times that a frame does not have are left out") {
  const auto times = [](const FrameInfo& frame) {
    std::string found;
    for (const std::string& card : cards_of(fits_of({"cam", frame}))) {
      const std::string name = card.substr(0, 8);
      found += name.find('-') != name.npos || name == "TIMESYS " ? name + " " : "";
    }
    return found;
  };
  CHECK(times({1, 0, never, never}).empty());
  CHECK(times({1, 0, never, parse_utc("2026-11-22T01:52:50")}) == "TIMESYS  DATE-WRT MJD-WRT  ");
  CHECK(times({1, 0, parse_utc("2026-11-22T01:52:50"), never}) == "TIMESYS  DATE-OBS MJD-OBS  ");
}

TEST_CASE("a keyword goes before the card of its name, and those it would contradict") {
  const auto names = [](const std::vector<Keyword>& keywords) {
    std::string found;
    for (const std::string& card : cards_of(fits_of(whole_origin(), keywords))) {
      found += card.substr(0, 8) + "|";
    }
    return found.substr(found.find("EXTEND  |") + 9);
  };
  const std::string counts = "CNT0    |CNT1    |";
  const std::string written = "DATE-WRT|MJD-WRT |";
  CHECK(names({{"EXTNAME", "SCI", ""}}) ==
        counts + "TIMESYS |DATE-OBS|MJD-OBS |" + written + "EXTNAME |");
  CHECK(names({{"MJD-OBS", 1.0, ""}}) ==
        "EXTNAME |" + counts + "TIMESYS |" + written + "MJD-OBS |");
  CHECK(names({{"TIMESYS", "UTC", ""}}) ==
        "EXTNAME |" + counts + "DATE-OBS|MJD-OBS |" + written + "TIMESYS |");
  CHECK(names({{"TIMESYS", "TAI", ""}}) == "EXTNAME |" + counts + "TIMESYS |");
}

TEST_CASE("cards of another program are keywords, whatever their names") {
  const auto image = header_of({
      "EXTNAME = 'SCI     '",
      "CNT0    =                   12 / counts",
      "TIMESYS = 'UTC     '",
      "DATE-OBS= '2022-06-15'         / start",
      "MJD-OBS =              59745.0",
  });
  CHECK(image->unfit_keywords().empty());
  CHECK(image->keywords().size() == 5);
  CHECK_FALSE(image->frame());
  // Nor is ours a time if it does not read as one.
  const auto edited =
      header_of({"DATE-OBS= 'yesterday'          / when the frame was acquired",
                 "CNT0    = 'many    '           / frames published, up to this one"});
  CHECK(edited->keywords().size() == 2);
  CHECK_FALSE(edited->frame());
}

TEST_CASE("looks_like_fits") {
  CHECK(looks_like_fits(image_with({})));
  CHECK_FALSE(looks_like_fits({}));
  const std::string text = "SIMPLE";
  CHECK_FALSE(looks_like_fits(std::as_bytes(std::span(text))));
}

// ---- Real ones

TEST_CASE("files of real instruments") {
  const fs::path real = fs::path(SHMIM_SOURCE_DIR).parent_path() / "shared/real";
  if (!fs::exists(real)) {
    MESSAGE("skipped: no " << real.string());
    return;
  }
  const auto check = [&](const char* name, const Shape& shape,
                         const std::vector<std::string>& unfit) {
    CAPTURE(name);
    const auto image = open_fits((real / name).string());
    CHECK(image->format().type == DataType::float32);
    CHECK(to_string(image->format().shape) == to_string(shape));
    CHECK(lines(image->unfit_keywords()) == lines(unfit));
    const auto values = read<float>(*image);
    CHECK(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
    CHECK(std::any_of(values.begin(), values.end(), [](float v) { return v != 0; }));
  };
  const std::vector<std::string> date{"DATE (string of 19 bytes, at most 16 fit)"};
  check("KalAO-dmloop_DMmaskCTRL.fits", {12, 12}, date);
  check("KalAO-dmloop_WFSmask.fits", {22, 11}, date);
  check("KalAO-dmloop_respM.fits", {22, 11, 144}, date);
  check("ao3k-nirpyr188_wfsref.fits", {160, 160}, {});
  check("scexao-NIRPL_wfsref.fits.fz", {224, 200}, date);
}

}  // namespace
