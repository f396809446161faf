#include <complex>
#include <numeric>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

template <class T>
std::vector<T> take(const std::string& slice, const Shape& shape, DataType type,
                    const std::vector<T>& frame) {
  const Selection selection(parse_slice(slice), shape, type);
  std::vector<T> out(selection.shape().elements());
  REQUIRE(out.size() * sizeof(T) == selection.bytes());
  selection.take(std::as_bytes(std::span(frame)), std::as_writable_bytes(std::span(out)));
  return out;
}

std::vector<std::uint16_t> counted(std::size_t elements) {
  std::vector<std::uint16_t> frame(elements);
  std::iota(frame.begin(), frame.end(), std::uint16_t{0});
  return frame;
}

std::vector<std::uint16_t> take(const std::string& slice, const Shape& shape) {
  return take(slice, shape, DataType::uint16, counted(shape.elements()));
}

using U16 = std::vector<std::uint16_t>;

std::string why(const std::string& slice, const Shape& shape) {
  return error_of([&] { Selection(parse_slice(slice), shape, DataType::uint16); }).what();
}

}  // namespace

TEST_CASE("ranges, single elements, reversal and steps") {
  const Shape shape{6};
  CHECK(take("*", shape) == U16{0, 1, 2, 3, 4, 5});
  CHECK(take("-*", shape) == U16{5, 4, 3, 2, 1, 0});
  CHECK(take("2", shape) == U16{2});
  CHECK(take("-1", shape) == U16{5});
  CHECK(take("1:3", shape) == U16{1, 2, 3});
  CHECK(take("3:1", shape) == U16{3, 2, 1});
  CHECK(take("-2:-1", shape) == U16{4, 5});
  CHECK(take("::2", shape) == U16{0, 2, 4});
  CHECK(take("1:4:2", shape) == U16{1, 3});
  CHECK(take("1:4::2", shape) == U16{1, 3});
  CHECK(take("5:0::2", shape) == U16{5, 3, 1});
  CHECK(take("-*::4", shape) == U16{5, 1});
  CHECK(take("2:", shape) == U16{2, 3, 4, 5});
  CHECK(take(":1", shape) == U16{0, 1});
  CHECK(take("0:5::100", shape) == U16{0});
}

TEST_CASE("axes are taken each on its own") {
  const Shape shape{3, 2, 2};
  CHECK(take("*,0", shape) == U16{0, 1, 2, 6, 7, 8});
  CHECK(take("0", shape) == U16{0, 3, 6, 9});
  CHECK(take("1:2,-*,1", shape) == U16{10, 11, 7, 8});
  CHECK(take("-*,*,-*", shape) == U16{8, 7, 6, 11, 10, 9, 2, 1, 0, 5, 4, 3});
  const Selection selection(parse_slice("1,*,0"), shape, DataType::uint16);
  CHECK(selection.shape() == Shape{1, 2, 1});
  CHECK_FALSE(selection.is_whole());
  CHECK(Selection({}, shape, DataType::uint16).is_whole());
  CHECK(Selection(parse_slice("0:2,*"), shape, DataType::uint16).is_whole());
}

TEST_CASE("bins are means, rounded to nearest, and a short last group is dropped") {
  CHECK(take("::2b", Shape{5}, DataType::uint16, U16{1, 2, 10, 20, 99}) == U16{2, 15});
  CHECK(take("::2b,::2b", Shape{2, 2}, DataType::uint16, U16{0, 1, 2, 4}) == U16{2});
  CHECK(take("4:0::2b", Shape{5}, DataType::uint16, U16{1, 2, 10, 20, 99}) == U16{60, 6});
  CHECK(take("::2b", Shape{2}, DataType::int8, std::vector<std::int8_t>{-3, -4}) ==
        std::vector<std::int8_t>{-4});
  CHECK(take("::2b", Shape{2}, DataType::float32, std::vector<float>{1, 2}) ==
        std::vector<float>{1.5});
  CHECK(take("::2b", Shape{2}, DataType::complex64,
             std::vector<std::complex<float>>{{1, 2}, {3, 6}}) ==
        std::vector<std::complex<float>>{{2, 4}});
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  CHECK(take("::2b", Shape{2}, DataType::uint64, std::vector<std::uint64_t>{largest, largest}) ==
        std::vector<std::uint64_t>{largest});
  CHECK(take("::2b", Shape{2}, DataType::float16,
             U16{float_to_float16(1.0F), float_to_float16(4.0F)}) == U16{float_to_float16(2.5F)});
}

TEST_CASE("every element size is moved whole, read and written") {
  for (const DataType type : data_types()) {
    CAPTURE(to_string(type));
    const std::size_t size = element_size(type);
    const Shape shape{4, 3};
    std::vector<std::byte> frame(shape.elements() * size);
    for (std::size_t i = 0; i < frame.size(); ++i) {
      frame[i] = static_cast<std::byte>(i);
    }
    const Selection selection(parse_slice("3:0::2,2:1"), shape, type);
    std::vector<std::byte> taken(selection.bytes());
    selection.take(frame, taken);
    const std::array<std::size_t, 4> elements{11, 9, 7, 5};
    for (std::size_t i = 0; i < elements.size(); ++i) {
      CHECK(std::equal(taken.begin() + static_cast<std::ptrdiff_t>(i * size),
                       taken.begin() + static_cast<std::ptrdiff_t>((i + 1) * size),
                       frame.begin() + static_cast<std::ptrdiff_t>(elements[i] * size)));
    }
    std::vector<std::byte> other(frame.size(), std::byte{0xAA});
    selection.put(taken, other);
    std::vector<std::byte> back(selection.bytes());
    selection.take(other, back);
    CHECK(back == taken);
    CHECK(std::count(other.begin(), other.end(), std::byte{0xAA}) >=
          static_cast<std::ptrdiff_t>((shape.elements() - 4) * size));
  }
}

TEST_CASE("writing leaves the rest, and binning cannot be written") {
  U16 frame = counted(12);
  const U16 data{100, 101};
  Selection(parse_slice("1:2,1"), Shape{4, 3}, DataType::uint16)
      .put(std::as_bytes(std::span(data)), std::as_writable_bytes(std::span(frame)));
  CHECK(frame == U16{0, 1, 2, 3, 4, 100, 101, 7, 8, 9, 10, 11});
  const Selection binned(parse_slice("::2b"), Shape{4, 3}, DataType::uint16);
  CHECK(says(error_of([&] {
               binned.put(std::as_bytes(std::span(data)), std::as_writable_bytes(std::span(frame)));
             }),
             "a slice that averages cannot be written"));
}

TEST_CASE("what somebody has averaged is put in and taken out as it is") {
  for (const char* slice : {"0:3::2b,*", "5:0::3b,1", "*,*::3b", "1:4,*"}) {
    CAPTURE(slice);
    const U16 frame = counted(18);
    const Selection selection(parse_slice(slice), Shape{6, 3}, DataType::uint16);
    U16 there(selection.shape().elements());
    selection.take(std::as_bytes(std::span(frame)), std::as_writable_bytes(std::span(there)));
    U16 mirror(frame.size(), 0xFFFF);
    U16 here(there.size());
    const Selection averaged = selection.averaged();
    averaged.put(std::as_bytes(std::span(there)), std::as_writable_bytes(std::span(mirror)));
    averaged.take(std::as_bytes(std::span(mirror)), std::as_writable_bytes(std::span(here)));
    CHECK(here == there);
    CHECK(averaged.shape() == selection.shape());
    CHECK(std::ranges::count(mirror, 0xFFFF) == static_cast<std::ptrdiff_t>(18 - there.size()));
  }
}

TEST_CASE("what is out of range names the axis and its length") {
  CHECK(why("6", Shape{6}) == "index 6 is out of range: axis 0 has 6 elements, 0 to 5");
  CHECK(why("*,-4", Shape{6, 3}) == "index -4 is out of range: axis 1 has 3 elements, 0 to 2");
  CHECK(why("0:1", Shape{1}) == "index 1 is out of range: axis 0 has 1 element, 0 to 0");
  CHECK(why("*,*", Shape{6}) == "the slice has 2 axes, and the stream 1 (6)");
  CHECK(why("0:2::4b", Shape{6}) == "nothing is left of axis 0: 3 elements make no group of 4");
}

TEST_CASE("binary16 converts both ways exactly, and rounds to even") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = float16_to_float(static_cast<std::uint16_t>(bits));
    if (value == value) {
      REQUIRE(float_to_float16(value) == bits);
    }
  }
  CHECK(float16_to_float(0x3C00) == 1.0F);
  CHECK(float_to_float16(2049.0F) == float_to_float16(2048.0F));
  CHECK(float_to_float16(2051.0F) == float_to_float16(2052.0F));
  CHECK(float_to_float16(65519.0F) == 0x7BFF);
  CHECK(float_to_float16(65520.0F) == 0x7C00);
  CHECK(float_to_float16(1e-8F) == 0);
}
