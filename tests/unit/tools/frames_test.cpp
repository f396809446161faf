// Frames that come in: as text, as npy, and how long an HDU is.

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/print/frame_parser.hpp"
#include "common/print/frame_text.hpp"
#include "common/print/npy.hpp"
#include "post/hdu_extent.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::tools;

namespace {

/// The frames in a text that comes in pieces of so many bytes, printed again.
std::vector<std::string> frames_in_pieces(std::string_view text, std::size_t piece, DataType type,
                                          const Shape& shape) {
  FrameParser parser("text", type, shape);
  std::vector<std::byte> frame(shape.elements() * element_size(type));
  std::vector<std::string> frames;
  const auto keep = [&] {
    if (parser.is_complete()) {
      frames.push_back(to_text(frame, type, shape));
      parser.begin_frame();
    }
  };
  while (!text.empty()) {
    std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    while (!part.empty()) {
      part.remove_prefix(parser.take(part, frame));
      keep();
    }
  }
  parser.end(frame);
  keep();
  return frames;
}

std::string why_refused(std::string_view text, DataType type, const Shape& shape) {
  try {
    frames_in_pieces(text, text.size(), type, shape);
  } catch (const Error& error) {
    return error.why();
  }
  return "";
}

std::string header_of(std::initializer_list<std::string> cards) {
  std::string header;
  for (const std::string& card : cards) {
    header += fmt::format("{:80}", card);
  }
  return header;
}

}  // namespace

TEST_CASE("a text is the same frames in whatever pieces it comes") {
  const std::string text = "1 2 -3.5\n4 5 6\n\n7e1 8 9\r\n1 2 3\n\n\n1 1 1\n2 2 2";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    const auto frames = frames_in_pieces(text, piece, DataType::float32, Shape{3, 2});
    REQUIRE(frames.size() == 3);
    CHECK(frames[0] == "1 2 -3.5\n4 5 6\n");
    CHECK(frames[1] == "70 8 9\n1 2 3\n");
    CHECK(frames[2] == "1 1 1\n2 2 2\n");
  }
}

TEST_CASE("a line is rows, or one number; an empty one stands between planes") {
  const Shape cube{2, 2, 2};
  const std::vector<std::string> wanted{"1 2\n3 4\n\n5 6\n7 8\n"};
  for (const char* text : {"1 2\n3 4\n\n5 6\n7 8\n", "1\n2\n3\n4\n\n5\n6\n7\n8\n",
                           "1 2 3 4\n5 6 7 8\n", "1 2 3 4 5 6 7 8", "1 2\n3\n4\n5 6\n7 8\n"}) {
    CAPTURE(text);
    CHECK(frames_in_pieces(text, 5, DataType::int8, cube) == wanted);
  }
  CHECK(why_refused("1 2\n\n3 4\n", DataType::int8, cube) ==
        "line 2: is empty, after 2 of the 8 numbers of a frame");
  CHECK(why_refused("1 2 3\n", DataType::int8, cube) == "line 1: 3 numbers, where a row has 2");
  CHECK(why_refused("1 2\n3 4 5 6 7 8 9 10\n", DataType::int8, cube) ==
        "line 2: more than the 8 numbers of a frame");
  CHECK(why_refused("1 2\n3 200\n", DataType::int8, cube) == "line 2: '200' does not fit int8");
  CHECK(why_refused(std::string("1 \0", 3), DataType::int8, cube) ==
        "line 1: '\\x00' is not a number");
  CHECK(why_refused(std::string(2000, '1'), DataType::int8, cube) ==
        "line 1: 2000 characters without a blank");
  CHECK(why_refused("1 2\n", DataType::int8, cube) ==
        "ends after 2 of the 8 numbers of a frame, which was not published");
}

TEST_CASE("an element reads back from its text") {
  const auto back = [](DataType type, std::string_view text) {
    std::array<std::byte, 16> element{};
    const auto place = std::span(element).first(element_size(type));
    return read_element(text, type, place) ? to_text(place, type, Shape{1}) : "refused\n";
  };
  CHECK(back(DataType::complex64, "1+2j") == "1+2j\n");
  CHECK(back(DataType::complex64, "-1e-05-2.5e+20j") == "-1e-05-2.5e+20j\n");
  CHECK(back(DataType::complex128, "nan-infj") == "nan-infj\n");
  CHECK(back(DataType::complex128, "2j") == "0+2j\n");
  CHECK(back(DataType::complex128, "7") == "7+0j\n");
  CHECK(back(DataType::complex128, "1+j") == "refused\n");
  CHECK(back(DataType::uint16, "6.5e4") == "65000\n");
  CHECK(back(DataType::uint16, "7e4") == "refused\n");
  CHECK(back(DataType::uint16, "1.5") == "refused\n");
  CHECK(back(DataType::uint64, "18446744073709551615") == "18446744073709551615\n");
  CHECK(back(DataType::uint64, "18446744073709551616") == "refused\n");
  CHECK(back(DataType::int64, "1e300") == "refused\n");
  CHECK(back(DataType::float32, "1e-45") == "1e-45\n");
  CHECK(back(DataType::float32, "1e39") == "refused\n");
  CHECK(back(DataType::float16, "70000") == "refused\n");
  CHECK(back(DataType::int32, "nan") == "refused\n");
  CHECK(back(DataType::int32, "+5") == "5\n");
  CHECK(back(DataType::int32, "+-5") == "refused\n");
}

TEST_CASE("NumPy's headers read back, those of other versions too") {
  const std::string series = npy_header(DataType::float32, Shape{4, 3}, 5);
  REQUIRE(npy_header_bytes(series.substr(0, npy_start_bytes)) == series.size());
  const auto array = parse_npy_header(series);
  REQUIRE(array);
  CHECK(array->type == DataType::float32);
  CHECK(array->axes == std::vector<std::uint64_t>{5, 3, 4});
  CHECK_FALSE(array->is_fortran);
  CHECK_FALSE(array->is_big_endian);
  // As long as before, with another count.
  CHECK(npy_header(DataType::uint8, Shape{4}, 2, 192).size() == 192);
  const std::string two = std::string("\x93NUMPY\x02\x00\x36\x00\x00\x00", 12) +
                          "{'descr': '>f8', 'fortran_order': True, 'shape': (), }";
  CHECK(npy_header_bytes(two) == 66);
  const auto scalar = parse_npy_header(two);
  REQUIRE(scalar);
  CHECK(scalar->type == DataType::float64);
  CHECK(scalar->axes.empty());
  CHECK(scalar->is_fortran);
  CHECK(scalar->is_big_endian);
  const auto records =
      parse_npy_header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (3,), }");
  REQUIRE(records);
  CHECK_FALSE(records->type);
  CHECK(records->descr == "[('a', '<i4')]");
  for (const char* nonsense : {"", "{}", "{'descr': '<u2', 'fortran_order': False, 'shape': (x,)}",
                               "{'descr': '<u2', 'fortran_order': No, 'shape': (1,)}",
                               "{'descr': '<u2', 'fortran_order': False, 'shape': (1,"}) {
    CAPTURE(nonsense);
    CHECK_FALSE(parse_npy_header(nonsense));
  }
  CHECK_FALSE(npy_header_bytes("\x93NUMPY"));
  CHECK_FALSE(npy_header_bytes(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)));
}

TEST_CASE("the data of an HDU is as long as its header says") {
  const auto bytes = [](std::initializer_list<std::string> cards) {
    return hdu_data_bytes(header_of(cards)).value_or(UINT64_MAX);
  };
  CHECK(bytes({"SIMPLE  = T", "BITPIX  =                   16 / bits", "NAXIS   = 2", "NAXIS1  = 3",
               "NAXIS2  = 5", "END"}) == 30);
  CHECK(bytes({"BITPIX  = -64", "NAXIS   = 0", "END"}) == 0);
  CHECK(bytes({"BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 4", "NAXIS2  = 2", "PCOUNT  = 10",
               "GCOUNT  = 1", "END"}) == 18);
  CHECK(bytes({"BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 0", "NAXIS2  = 3", "GROUPS  = T",
               "PCOUNT  = 1", "GCOUNT  = 2", "END"}) == 16);
  for (const auto& cards :
       {std::vector<std::string>{"NAXIS   = 0"},
        {"BITPIX  = 8"},
        {"BITPIX  = 8", "NAXIS   = 1"},
        {"BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = -1"},
        {"BITPIX  = 64", "NAXIS   = 2", "NAXIS1  = 4294967296", "NAXIS2  = 4294967296"},
        {"BITPIX  = 8", "NAXIS   = 0", "PCOUNT  = -1"}}) {
    std::string header;
    for (const std::string& card : cards) {
      header += fmt::format("{:80}", card);
    }
    CAPTURE(header);
    CHECK_FALSE(hdu_data_bytes(header));
  }
}

TEST_CASE("the data of an image may be frames, one behind the other") {
  const std::vector<std::string> cards{"SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 3", "NAXIS1  = 3",
                                       "NAXIS2  = 5", "NAXIS3  = 7",   "END"};
  const auto cube = [&cards](std::size_t replaced = 0, const std::string& by = "") {
    std::string header;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      header += fmt::format("{:80}", replaced > 0 && i == replaced ? by : cards[i]);
    }
    return header;
  };
  using Axes = std::vector<std::uint32_t>;
  CHECK(frames_of_cube(cube(), Axes{3, 5}) == 7);
  CHECK_FALSE(frames_of_cube(cube(), Axes{3, 4}));
  CHECK_FALSE(frames_of_cube(cube(), Axes{3}));
  CHECK_FALSE(frames_of_cube(cube(), Axes{3, 5, 7}));
  CHECK_FALSE(frames_of_cube(cube(5, "NAXIS3  = 0"), Axes{3, 5}));
  CHECK_FALSE(frames_of_cube(cube(5, "NAXIS3  = 4294967296"), Axes{3, 5}));
  CHECK_FALSE(frames_of_cube(cube(6, "PCOUNT  = 7"), Axes{3, 5}));
  CHECK_FALSE(frames_of_cube(cube(1, "BITPIX  = 'no'"), Axes{3, 5}));
  CHECK_FALSE(frames_of_cube(header_of({"XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2",
                                        "NAXIS1  = 3", "NAXIS2  = 5", "END"}),
                             Axes{3}));
  const std::string two = with_frames(cube(), 2, 2);
  CHECK(two.size() == cube().size());
  CHECK(frames_of_cube(two, Axes{3, 5}) == 2);
}

TEST_CASE("what an HDU is by its header") {
  CHECK(has_end_card(header_of({"A       = 1", "END"})));
  CHECK_FALSE(has_end_card(header_of({"ENDING  = 1", "A = 'END'"})));
  CHECK(may_hold_image(header_of({"SIMPLE  = T", "NAXIS   = 1"})));
  CHECK_FALSE(may_hold_image(header_of({"SIMPLE  = T", "NAXIS   = 0"})));
  CHECK(may_hold_image(header_of({"XTENSION= 'IMAGE   '", "NAXIS   = 1"})));
  CHECK_FALSE(may_hold_image(header_of({"XTENSION= 'BINTABLE'", "NAXIS   = 2"})));
  CHECK(may_hold_image(header_of({"XTENSION= 'BINTABLE'", "NAXIS   = 2", "ZIMAGE  = T"})));
}
