#include "shmim/comparison.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "shmim/layout.hpp"

namespace shmim {
namespace {

// Four types hold the values of all thirteen, exactly: so there are sixteen pairs to compare.
using Complex = std::complex<double>;

template <class Element>
auto widened(Element element) noexcept {
  if constexpr (std::is_same_v<Element, Float16>) {
    return static_cast<double>(float16_to_float(element.bits));
  } else if constexpr (std::is_same_v<Element, std::uint64_t>) {
    return element;
  } else if constexpr (std::is_integral_v<Element>) {
    return static_cast<std::int64_t>(element);
  } else if constexpr (std::is_floating_point_v<Element>) {
    return static_cast<double>(element);
  } else {
    return Complex(element);
  }
}

template <class Element>
using Widened = decltype(widened(Element{}));

constexpr std::size_t block = 1024;  ///< elements at a time: what they are widened to stays near
template <class Wide>
using Block = std::array<Wide, block>;

template <class Element>
void widen(std::span<const std::byte> from, Block<Widened<Element>>& to) noexcept {
  for (std::size_t i = 0; i < from.size() / sizeof(Element); ++i) {
    Element element{};
    std::memcpy(&element, &from[i * sizeof(Element)], sizeof(Element));
    to[i] = widened(element);
  }
}

template <class Integer>
requires std::is_integral_v<Integer>
bool is_nan(Integer /*value*/) noexcept { return false; }
bool is_nan(double value) noexcept { return std::isnan(value); }
bool is_nan(Complex value) noexcept { return std::isnan(value.real()) || std::isnan(value.imag()); }

template <class Integer>
requires std::is_integral_v<Integer>
bool is_finite(Integer /*value*/) noexcept { return true; }
bool is_finite(double value) noexcept { return std::isfinite(value); }
bool is_finite(Complex value) noexcept {
  return std::isfinite(value.real()) && std::isfinite(value.imag());
}

template <class Number>
double modulus(Number value) noexcept {
  return std::fabs(static_cast<double>(value));
}
double modulus(Complex value) noexcept { return std::hypot(value.real(), value.imag()); }

std::uint64_t magnitude(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? 0 - bits : bits;
}

// |a - b|, which is 0 for equal numbers alone.

double distance(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<double>(a < b ? b - a : a - b);
}
double distance(std::int64_t a, std::int64_t b) noexcept {
  const auto less = static_cast<std::uint64_t>(std::min(a, b));
  return static_cast<double>(static_cast<std::uint64_t>(std::max(a, b)) - less);
}
double distance(std::int64_t a, std::uint64_t b) noexcept {
  return a < 0 ? static_cast<double>(magnitude(a)) + static_cast<double>(b)
               : distance(static_cast<std::uint64_t>(a), b);
}
double distance(double a, double b) noexcept { return a == b ? 0 : std::fabs(a - b); }
/// From here on every double is a whole number, and not every whole number a double.
constexpr double largest_exact = 0x1p53;

template <class Integer>
requires std::is_integral_v<Integer>
double distance(Integer a, double b) noexcept {
  if (b >= largest_exact && b < 0x1p64) {
    return distance(a, static_cast<std::uint64_t>(b));
  }
  if constexpr (std::is_signed_v<Integer>) {
    if (b <= -largest_exact && b >= -0x1p63) {
      return distance(a, static_cast<std::int64_t>(b));
    }
  }
  // 2^64 is what the largest integer becomes as a double.
  const double apart = std::fabs(static_cast<double>(a) - b);
  return b == 0x1p64 ? std::max(apart, 1.0) : apart;
}
double distance(Complex a, Complex b) noexcept {
  return a == b ? 0 : std::hypot(a.real() - b.real(), a.imag() - b.imag());
}
template <class Real>
double distance(Real a, Complex b) noexcept {
  return b.imag() == 0 ? distance(a, b.real())
                       : std::hypot(static_cast<double>(a) - b.real(), b.imag());
}
/// Of two types the one that comes first here is the first of distance().
template <class Wide>
constexpr int rank = std::is_same_v<Wide, std::int64_t>    ? 0
                     : std::is_same_v<Wide, std::uint64_t> ? 1
                     : std::is_same_v<Wide, double>        ? 2
                                                           : 3;
template <class A, class B>
double distance_between(A a, B b) noexcept {
  if constexpr (rank<A> <= rank<B>) {
    return distance(a, b);
  } else {
    return distance(b, a);
  }
}

/// Compares block after block, and keeps what it found.
class Comparer {
 public:
  Comparer(const Tolerance& tolerance, const OnDifference& on_difference)
      : tolerance_(tolerance), on_difference_(on_difference) {}

  template <class A, class B>
  void compare(const Block<A>& a, const Block<B>& b, std::size_t count) {
    if (!are_all_equal(a, b, count)) {
      for (std::size_t i = 0; i < count; ++i) {
        compare(a[i], b[i], result_.elements + i);
      }
    }
    result_.elements += count;
  }

  /// So many are equal, as their bytes are.
  void pass(std::size_t count) noexcept { result_.elements += count; }

  [[nodiscard]] const Comparison& result() const noexcept { return result_; }

 private:
  /// Without a branch for each, so that several are looked at in one step. False where it is not
  /// sure.
  template <class A, class B>
  bool are_all_equal(const Block<A>& a, const Block<B>& b, std::size_t count) const noexcept {
    if constexpr (std::is_same_v<A, double> && std::is_same_v<B, double>) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const double absolute = tolerance_.absolute;
      const double relative = tolerance_.relative;
      unsigned differing = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const double apart = std::fabs(a[i] - b[i]);
        const double size = std::fabs(b[i]);
        differing |= static_cast<unsigned>(!(apart <= absolute + relative * size)) |
                     static_cast<unsigned>(!(size < infinity)) |
                     static_cast<unsigned>(!(apart < infinity));
      }
      return differing == 0;
    } else if constexpr (std::is_same_v<A, B> && std::is_integral_v<A>) {
      return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(count), b.begin());
    } else if constexpr (std::is_same_v<A, double> && std::is_integral_v<B>) {
      return are_all_equal(b, a, count);
    } else if constexpr (std::is_integral_v<A> && std::is_same_v<B, double>) {
      unsigned differing = 0;
      for (std::size_t i = 0; i < count; ++i) {
        differing |= static_cast<unsigned>(static_cast<double>(a[i]) != b[i]) |
                     static_cast<unsigned>(!(std::fabs(b[i]) < largest_exact));
      }
      return differing == 0;
    } else {
      return false;
    }
  }

  template <class A, class B>
  void compare(A a, B b, std::uint64_t element) {
    if (is_nan(a) || is_nan(b)) {
      if (!(tolerance_.nan_equals_nan && is_nan(a) && is_nan(b))) {
        ++result_.nan;
        add(std::numeric_limits<double>::quiet_NaN(), element);
      }
      return;
    }
    const double apart = distance_between(a, b);
    const bool is_equal =
        apart == 0 || (is_finite(a) && is_finite(b) &&
                       apart <= tolerance_.absolute + tolerance_.relative * modulus(b));
    if (!is_equal) {
      add(apart, element);
    }
  }

  void add(double apart, std::uint64_t element) {
    if (result_.differing == 0 || apart > result_.largest ||
        (std::isnan(result_.largest) && !std::isnan(apart))) {
      result_.largest = apart;
      result_.where = element;
    }
    ++result_.differing;
    if (on_difference_) {
      on_difference_(element);
    }
  }

  Tolerance tolerance_;
  const OnDifference& on_difference_;
  Comparison result_;
};

/// The elements `from` on, so many.
std::span<const std::byte> part(std::span<const std::byte> frame, DataType type, std::uint64_t from,
                                std::size_t count) noexcept {
  const std::size_t size = element_size(type);
  return frame.subspan(from * size, count * size);
}

std::uint64_t elements_of(std::span<const std::byte> frame, DataType type) {
  const std::size_t size = element_size(type);
  if (size == 0) {
    detail::throw_unknown_type(type);
  }
  if (frame.size() % size != 0) {
    throw Error(Problem::usage, "",
                fmt::format("{} bytes are no whole elements of {}", frame.size(), to_string(type)));
  }
  return frame.size() / size;
}

/// Calls visit_wide with the type that elements are widened to.
template <class Visit>
void visit_widened(DataType type, const Visit& visit_wide) {
  visit(type, [&]<class Element>(std::type_identity<Element>) {
    visit_wide(std::type_identity<Widened<Element>>{});
  });
}

template <class Wide>
void widen(DataType type, std::span<const std::byte> from, Block<Wide>& to) {
  visit(type, [&]<class Element>(std::type_identity<Element>) {
    if constexpr (std::is_same_v<Widened<Element>, Wide>) {
      widen<Element>(from, to);
    }
  });
}

}  // namespace

Comparison compare(std::span<const std::byte> a, DataType type_of_a, std::span<const std::byte> b,
                   DataType type_of_b, const Tolerance& tolerance,
                   const OnDifference& on_difference) {
  const std::uint64_t elements = elements_of(a, type_of_a);
  if (elements_of(b, type_of_b) != elements) {
    throw Error(Problem::usage, "",
                fmt::format("frames of {} and {} elements cannot be compared", elements,
                            elements_of(b, type_of_b)));
  }
  Comparer comparer(tolerance, on_difference);
  // What has the same bytes has the same values, unless NaN is not to equal itself.
  const bool bytes_tell = type_of_a == type_of_b && tolerance.nan_equals_nan;
  visit_widened(type_of_a, [&]<class A>(std::type_identity<A>) {
    visit_widened(type_of_b, [&]<class B>(std::type_identity<B>) {
      Block<A> wide_a;
      Block<B> wide_b;
      for (std::uint64_t from = 0; from < elements; from += block) {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(block, elements - from));
        const auto part_of_a = part(a, type_of_a, from, count);
        const auto part_of_b = part(b, type_of_b, from, count);
        if (bytes_tell && std::memcmp(part_of_a.data(), part_of_b.data(), part_of_a.size()) == 0) {
          comparer.pass(count);
          continue;
        }
        widen(type_of_a, part_of_a, wide_a);
        widen(type_of_b, part_of_b, wide_b);
        comparer.compare(wide_a, wide_b, count);
      }
    });
  });
  return comparer.result();
}

}  // namespace shmim
