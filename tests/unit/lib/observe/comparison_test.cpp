#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <type_traits>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

template <class Element>
std::span<const std::byte> elements_as_bytes(const std::vector<Element>& elements) {
  return std::as_bytes(std::span(elements));
}

template <class A, class B>
Comparison compared_elements(const std::vector<A>& a, DataType type_of_a, const std::vector<B>& b,
                             DataType type_of_b, const Tolerance& tolerance = {}) {
  return compare(elements_as_bytes(a), type_of_a, elements_as_bytes(b), type_of_b, tolerance);
}

Comparison of_doubles(const std::vector<double>& a, const std::vector<double>& b,
                      const Tolerance& tolerance = {}) {
  return compared_elements(a, DataType::float64, b, DataType::float64, tolerance);
}

template <class Element>
Element element_from_number(int number) {
  if constexpr (std::is_same_v<Element, Float16>) {
    return Float16{float_to_float16(static_cast<float>(number))};
  } else if constexpr (std::is_integral_v<Element> || std::is_floating_point_v<Element>) {
    return static_cast<Element>(number);
  } else {
    return Element(static_cast<float>(number));
  }
}

/// Elements of that type as bytes.
std::vector<std::byte> frame_of_numbers(DataType type, const std::vector<int>& numbers) {
  std::vector<std::byte> frame;
  visit(type, [&]<class Element>(std::type_identity<Element>) {
    for (const int number : numbers) {
      const auto element = element_from_number<Element>(number);
      const auto bytes = std::as_bytes(std::span(&element, 1));
      frame.insert(frame.end(), bytes.begin(), bytes.end());
    }
  });
  return frame;
}

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("elements of every pair of types are compared by value") {
  std::vector<int> numbers(1500);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int>(i % 100);
  }
  std::vector<int> others = numbers;
  others[1] += 2;
  others[1499] += 5;
  for (const DataType b : data_types()) {
    const auto same = frame_of_numbers(b, numbers);
    const auto other = frame_of_numbers(b, others);
    for (const DataType a : data_types()) {
      CAPTURE(to_string(a));
      CAPTURE(to_string(b));
      const auto frame = frame_of_numbers(a, numbers);
      CHECK(compare(frame, a, same, b).is_same());
      CHECK(compare(frame, a, same, b).elements == 1500);
      std::vector<std::uint64_t> where;
      const Comparison found = compare(
          frame, a, other, b, {}, [&where](std::uint64_t element) { where.push_back(element); });
      CHECK(found.elements == 1500);
      CHECK(found.differing == 2);
      CHECK(found.nan == 0);
      CHECK(found.largest == 5);
      CHECK(found.where == 1499);
      CHECK(where == std::vector<std::uint64_t>{1, 1499});
      CHECK(compare(frame, a, other, b, {.absolute = 5}).is_same());
      CHECK(compare(frame, a, other, b, {.absolute = 4}).differing == 1);
    }
  }
}

TEST_CASE("integers of 64 bits are compared exactly") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  using Signed = std::vector<std::int64_t>;
  using Unsigned = std::vector<std::uint64_t>;
  using Real = std::vector<double>;
  constexpr DataType i64 = DataType::int64;
  constexpr DataType u64 = DataType::uint64;
  constexpr DataType f64 = DataType::float64;

  CHECK(compared_elements(Signed{most}, i64, Signed{most - 1}, i64).largest == 1);
  CHECK(compared_elements(Signed{least}, i64, Signed{most}, i64).largest == 0x1p64);
  CHECK(compared_elements(Unsigned{all}, u64, Unsigned{all - 1}, u64).largest == 1);
  CHECK(compared_elements(Signed{most}, i64, Unsigned{static_cast<std::uint64_t>(most)}, u64)
            .is_same());
  CHECK(compared_elements(Signed{-1}, i64, Unsigned{all}, u64).largest == 0x1p64);
  CHECK(compared_elements(Unsigned{all}, u64, Signed{-1}, i64).differing == 1);
  CHECK(compared_elements(Signed{most}, i64, Signed{most - 2}, i64, {.absolute = 2}).is_same());

  // What becomes of it as a double is not what it is.
  CHECK(compared_elements(Signed{(std::int64_t{1} << 53) + 1}, i64, Real{0x1p53}, f64).largest ==
        1);
  CHECK(compared_elements(Real{0x1p53}, f64, Signed{(std::int64_t{1} << 53) + 1}, i64).largest ==
        1);
  CHECK(compared_elements(Signed{most}, i64, Real{0x1p63}, f64).largest == 1);
  CHECK(compared_elements(Signed{least}, i64, Real{-0x1p63}, f64).is_same());
  CHECK(compared_elements(Signed{least + 1}, i64, Real{-0x1p63}, f64).largest == 1);
  CHECK(compared_elements(Unsigned{all}, u64, Real{0x1p64}, f64).differing == 1);
  CHECK(compared_elements(Unsigned{std::uint64_t{1} << 63}, u64, Real{0x1p63}, f64).is_same());
  CHECK(compared_elements(Unsigned{0}, u64, Real{-1}, f64).largest == 1);
  CHECK(compared_elements(Signed{0}, i64, Real{0.25}, f64).largest == 0.25);
  using Complex = std::vector<std::complex<double>>;
  CHECK(compared_elements(Signed{(std::int64_t{1} << 53) + 1}, i64, Complex{{0x1p53, 0}},
                          DataType::complex128)
            .largest == 1);
}

TEST_CASE("NaN equals NaN unless told otherwise, and has no distance to a number") {
  CHECK(of_doubles({not_a_number, 1}, {-not_a_number, 1}).is_same());
  const Comparison one = of_doubles({1, not_a_number, 3}, {1, 2, 3});
  CHECK(one.differing == 1);
  CHECK(one.nan == 1);
  CHECK(std::isnan(one.largest));
  CHECK(one.where == 1);
  // A number that differs says more, wherever it is.
  const Comparison both = of_doubles({not_a_number, 1, not_a_number}, {0, 3, 0});
  CHECK(both.differing == 3);
  CHECK(both.nan == 2);
  CHECK(both.largest == 2);
  CHECK(both.where == 1);
  const Tolerance strict{.absolute = 1e9, .nan_equals_nan = false};
  CHECK(of_doubles({not_a_number, 1}, {not_a_number, 1}, strict).differing == 1);
  CHECK(compared_elements(std::vector<float>{NAN}, DataType::float32,
                          std::vector<double>{not_a_number}, DataType::float64)
            .is_same());
  // A tolerance is none for it.
  CHECK(of_doubles({not_a_number}, {1}, {.absolute = 1e9, .relative = 1e9}).differing == 1);
  using Complex = std::vector<std::complex<float>>;
  CHECK(compared_elements(Complex{{NAN, 1}}, DataType::complex64, Complex{{2, NAN}},
                          DataType::complex64)
            .is_same());
}

TEST_CASE("an infinity equals itself alone, whatever the tolerance") {
  const Tolerance wide{.absolute = 1e300, .relative = 10};
  CHECK(of_doubles({infinite, -infinite}, {infinite, -infinite}).is_same());
  CHECK(of_doubles({infinite, -infinite}, {infinite, -infinite}, wide).is_same());
  CHECK(of_doubles({1, 1}, {infinite, -infinite}, wide).differing == 2);
  CHECK(of_doubles({infinite}, {-infinite}, wide).differing == 1);
  CHECK(of_doubles({infinite}, {-infinite}, wide).largest == infinite);
  const std::vector<std::uint16_t> halves{0x7C00};
  CHECK(
      compared_elements(halves, DataType::float16, std::vector<double>{infinite}, DataType::float64)
          .is_same());
  CHECK(compared_elements(halves, DataType::float16, std::vector<double>{65504}, DataType::float64,
                          wide)
            .differing == 1);
  CHECK(compared_elements(std::vector<int>{7}, DataType::int32, std::vector<double>{infinite},
                          DataType::float64, wide)
            .differing == 1);
}

TEST_CASE("a tolerance is absolute, and relative to the second of the two") {
  CHECK(of_doubles({100}, {110}, {.relative = 0.0910}).is_same());
  CHECK(of_doubles({110}, {100}, {.relative = 0.0910}).differing == 1);
  CHECK(of_doubles({110}, {100}, {.absolute = 1, .relative = 0.0910}).is_same());
  CHECK(of_doubles({0.0}, {-0.0}).is_same());
  CHECK(of_doubles({1}, {-1}, {.relative = 1}).differing == 1);
  // Of complex numbers the modulus counts.
  using Complex = std::vector<std::complex<double>>;
  const Comparison apart = compared_elements(Complex{{0, 0}}, DataType::complex128, Complex{{3, 4}},
                                             DataType::complex128);
  CHECK(apart.largest == 5);
  CHECK(compared_elements(Complex{{0, 0}}, DataType::complex128, Complex{{3, 4}},
                          DataType::complex128, {.relative = 1})
            .is_same());
}

TEST_CASE("frames without elements are equal, and those of other sizes are refused") {
  CHECK(of_doubles({}, {}).is_same());
  CHECK(of_doubles({}, {}).elements == 0);
  const std::vector<std::byte> seven(7);
  CHECK_THROWS_WITH_AS(static_cast<void>(of_doubles({1}, {1, 2})),
                       "frames of 1 and 2 elements cannot be compared", Error);
  CHECK_THROWS_WITH_AS(static_cast<void>(compare(seven, DataType::uint16, seven, DataType::uint16)),
                       "7 bytes are no whole elements of uint16", Error);
  CHECK_THROWS_AS(static_cast<void>(compare(seven, DataType{0}, seven, DataType::uint8)), Error);
}
