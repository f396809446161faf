#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "simulate/real.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

std::vector<std::byte> bytes_made(const TestPattern& pattern, DataType type, const Shape& shape,
                                  std::uint64_t number) {
  std::vector<std::byte> frame(shape.elements() * element_size(type));
  pattern.fill(number, never, frame);
  return frame;
}

template <class T>
std::vector<T> made(std::string_view text, const Shape& shape, std::uint64_t number = 0,
                    std::uint64_t seed = 0) {
  const DataType type = *data_type_of<T>();
  const auto bytes = bytes_made(TestPattern(text, type, shape, seed), type, shape, number);
  std::vector<T> elements(shape.elements());
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

}  // namespace

TEST_CASE("the random numbers are those of xoshiro256++") {
  // Worked out by a program in another language.
  simulate::Random random(3, 2);
  CHECK(random.next() == 0x9509E862CDDA5B67);
  CHECK(random.next() == 0x5D0FECCB9C9A6E98);
  CHECK(random.next() == 0xA32A54E7D38B04AC);
  CHECK(simulate::Random(1, 0).next() != simulate::Random(0, 1).next());
}

TEST_CASE("functions of real numbers are close to those of libm") {
  for (int i = 0; i < 120; ++i) {
    const double x = -i / 3.0;
    CHECK(simulate::exponential(x) == doctest::Approx(std::exp(x)).epsilon(1e-12));
  }
  CHECK(simulate::exponential(-1e300) == 0);
  for (int i = 0; i < 300; ++i) {
    const double turns = i / 97.0;
    const double expected = std::sin(2 * 3.14159265358979323846 * turns);
    CHECK(std::abs(simulate::sine_of_turns(turns) - expected) < 1e-12);
  }
  CHECK(simulate::sine_of_turns(1e300) == 0);
  std::array<double, 65536> quantiles{};
  simulate::fill_with_normal_quantiles(quantiles);
  CHECK(std::is_sorted(quantiles.begin(), quantiles.end()));
  // Half of the error function: the probability below each.
  for (std::size_t i = 0; i < quantiles.size(); i += 77) {
    CHECK(0.5 * std::erfc(-quantiles[i] / std::sqrt(2.0)) ==
          doctest::Approx((static_cast<double>(i) + 0.5) / 65536).epsilon(1e-5));
  }
}

TEST_CASE("what the patterns look like") {
  CHECK(made<std::uint8_t>("ramp,high=2", {4, 2}) ==
        std::vector<std::uint8_t>{0, 1, 2, 0, 1, 2, 0, 1});
  CHECK(made<std::uint8_t>("ramp,high=2", {4, 2}, UINT64_MAX).front() == UINT64_MAX % 3);
  CHECK(made<float>("ramp,low=-1,step=0.25,high=0", {6}, 2) ==
        std::vector<float>{-0.5F, -0.25F, 0, -1, -0.75F, -0.5F});
  CHECK(made<std::uint64_t>("ramp,low=18446744073709551615,high=18446744073709551615", {2}) ==
        std::vector<std::uint64_t>{UINT64_MAX, UINT64_MAX});
  CHECK(made<std::int8_t>("checker,size=1,low=-3,high=4", {3, 2}, 1) ==
        std::vector<std::int8_t>{4, -3, 4, -3, 4, -3});
  CHECK(made<std::int16_t>("sine,period=4,amplitude=7.6,offset=0", {4, 1}) ==
        std::vector<std::int16_t>{0, 8, 0, -8});
  CHECK(made<std::uint8_t>("spots,fwhm=2,peak=80,background=5", {5}) ==
        std::vector<std::uint8_t>{10, 45, 85, 45, 10});
  CHECK(made<double>("noise,mean=5,sigma=0", {3}) == std::vector<double>{5, 5, 5});
  using Complex = std::complex<float>;
  CHECK(made<Complex>("ramp,low=1", {2}) == std::vector<Complex>{{1, 0}, {2, 0}});
}

TEST_CASE("a frame depends on its number and the seed, and not on what was made before") {
  const TestPattern pattern("spots,jitter=1,noise=3", DataType::uint16, {40, 30}, 5);
  const auto third = bytes_made(pattern, DataType::uint16, {40, 30}, 3);
  CHECK(third != bytes_made(pattern, DataType::uint16, {40, 30}, 4));
  CHECK(third == bytes_made(pattern, DataType::uint16, {40, 30}, 3));
  const TestPattern other("spots,jitter=1,noise=3", DataType::uint16, {40, 30}, 6);
  CHECK(third != bytes_made(other, DataType::uint16, {40, 30}, 3));
}

TEST_CASE("numbers that are to be the same on every machine") {
  CHECK(made<std::uint16_t>("noise,mean=1000,sigma=100", {6}, 2, 3) ==
        std::vector<std::uint16_t>{963, 1086, 1133, 1021, 983, 1028});
  CHECK(made<std::int16_t>("spots,jitter=2,noise=1,peak=1000", {8}, 1) ==
        std::vector<std::int16_t>{58, 180, 442, 785, 996, 893, 573, 261});
}

TEST_CASE("every pattern fills frames of every type and shape to the last byte") {
  for (const DataType type : data_types()) {
    for (const std::string_view name : TestPattern::names()) {
      for (const Shape& shape :
           {Shape{1}, Shape{17}, Shape{3, 5}, Shape{70, 40}, Shape{2, 3, 4}, Shape{5000, 1, 1}}) {
        CAPTURE(to_string(type));
        CAPTURE(name);
        CAPTURE(to_string(shape));
        const TestPattern pattern(name, type, shape);
        CHECK(pattern.is_counter() == (name == "counter"));
        const std::size_t bytes = shape.elements() * element_size(type);
        // At an odd address, between bytes that are to stay.
        std::vector<std::byte> one(bytes + 2, std::byte{0xA5});
        std::vector<std::byte> two(bytes + 2, std::byte{0x5A});
        pattern.fill(9, never, std::span(one).subspan(1, bytes));
        pattern.fill(9, never, std::span(two).subspan(1, bytes));
        CHECK(one.front() == std::byte{0xA5});
        CHECK(one.back() == std::byte{0xA5});
        CHECK(std::equal(one.begin() + 1, one.end() - 1, two.begin() + 1));
      }
    }
  }
  const TestPattern pattern("ramp", DataType::uint8, {4});
  std::vector<std::byte> frame(5);
  CHECK(error_of([&] { pattern.fill(0, never, frame); }).problem() == Problem::usage);
}

TEST_CASE("patterns that are none") {
  const auto why = [](std::string_view text) {
    const Error error = error_of([&] { TestPattern(text, DataType::int8, {40, 30}); });
    CHECK(error.problem() == Problem::usage);
    CHECK(error.subject() == text);
    return error.why();
  };
  CHECK(why("").starts_with("there is no such pattern; there are ramp, noise"));
  CHECK(why("Ramp").starts_with("there is no such pattern"));
  CHECK(why("ramp,").starts_with("ramp has no key ''"));
  CHECK(why("ramp,low=1,,high=2").starts_with("ramp has no key ''"));
  CHECK(why("ramp,low=128") == "low: int8 holds -128 to 127");
  CHECK(why("ramp,speed=-1") == "speed must be 0 at least");
  CHECK(why("ramp,speed=1e300") == "speed must be 1e+06 at most");
  CHECK(why("sine,period=-0") == "period must be above 0");
}
