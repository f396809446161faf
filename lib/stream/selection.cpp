#include "shmim/selection.hpp"

#include <algorithm>
#include <complex>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "shmim/element.hpp"
#include "shmim/error.hpp"
#include "shmim/float16.hpp"

namespace shmim {
namespace {

[[noreturn]] void reject_slice(const std::string& what) { throw Error(Problem::usage, "", what); }

/// An index that may count from the end, as one that counts from the beginning.
std::uint64_t absolute(std::int64_t index, std::uint32_t length, std::size_t axis) {
  const std::int64_t position = index < 0 ? index + length : index;
  if (position < 0 || position >= length) {
    reject_slice(fmt::format("index {} is out of range: axis {} has {} element{}, 0 to {}", index,
                             axis, length, length == 1 ? "" : "s", length - 1));
  }
  return static_cast<std::uint64_t>(position);
}

template <class T>
T from_mean(double mean) noexcept {
  if constexpr (std::is_integral_v<T>) {
    // The mean lies between values of the type; only its double may be rounded up past the largest.
    if (mean >= static_cast<double>(std::numeric_limits<T>::max())) {
      return std::numeric_limits<T>::max();
    }
    const T whole = static_cast<T>(mean);
    const double rest = mean - static_cast<double>(whole);
    return static_cast<T>(rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole);
  } else {
    return static_cast<T>(mean);
  }
}

/// How an element of a type is averaged: as `parts` numbers of type Value.
template <class Number>
struct Averaged {
  static constexpr std::size_t parts = 1;
  using Value = Number;
  static double get(Value value) noexcept { return static_cast<double>(value); }
  static Value make(double mean) noexcept { return from_mean<Value>(mean); }
};
template <class Real>
struct Averaged<std::complex<Real>> : Averaged<Real> {
  static constexpr std::size_t parts = 2;
};
template <>
struct Averaged<Float16> {
  static constexpr std::size_t parts = 1;
  using Value = std::uint16_t;
  static double get(Value value) noexcept { return float16_to_float(value); }
  static Value make(double mean) noexcept { return float_to_float16(static_cast<float>(mean)); }
};

}  // namespace

bool is_of_newest_plane(const Slice& slice) noexcept {
  return slice.size() == layout::max_axes && slice.back().newest;
}

Selection::Selection(const Slice& slice, const Shape& shape, DataType type) : type_(type) {
  if (std::ranges::any_of(slice, &AxisSlice::newest)) {
    reject_slice(
        "'@' is the newest plane, in the place of z: [*,*,@], of a stream where z is time");
  }
  if (slice.size() > shape.axes()) {
    reject_slice(fmt::format("the slice has {} axes, and the stream {} ({})", slice.size(),
                             shape.axes(), shmim::to_string(shape)));
  }
  std::array<std::uint32_t, layout::max_axes> counts{};
  std::uint64_t stride = 1;
  for (std::size_t i = 0; i < shape.axes(); ++i) {
    const AxisSlice wanted = i < slice.size() ? slice[i] : AxisSlice{};
    const std::uint32_t length = shape[i];
    const std::int64_t end = length - 1;
    const std::uint64_t first =
        absolute(wanted.first.value_or(wanted.reversed ? end : 0), length, i);
    const std::uint64_t last =
        wanted.single ? first
                      : absolute(wanted.last.value_or(wanted.reversed ? 0 : end), length, i);
    const std::uint64_t span = (first < last ? last - first : first - last) + 1;
    const std::uint64_t step =
        std::min(wanted.step, span + 1);  // a longer one takes the first alone
    if (wanted.bin && step > span) {
      reject_slice(fmt::format("nothing is left of axis {}: {} elements make no group of {}", i,
                               span, wanted.step));
    }
    Axis axis;
    axis.first = first;
    axis.step = static_cast<std::int64_t>(step) * (first <= last ? 1 : -1);
    axis.group = wanted.bin ? static_cast<std::uint32_t>(step) : 1;
    axis.count = static_cast<std::uint32_t>(wanted.bin ? span / step : (span - 1) / step + 1);
    axis.stride = stride;
    stride *= length;
    counts[i] = axis.count;
    whole_ = whole_ && axis.count == length && axis.step > 0;
    axes_[i] = axis;
  }
  shape_ = Shape(std::span(counts).first(shape.axes()));
}

bool follows_planes(const Slice& slice, const Format& format) noexcept {
  return format.is_circular() && (is_of_newest_plane(slice) || slice.size() < layout::max_axes);
}

bool takes_newest_plane(const Slice& slice, const Format& format) noexcept {
  return format.is_circular() && is_of_newest_plane(slice);
}

Selection selection_of(Slice slice, const Format& format, bool is_of_plane) {
  if (is_of_plane) {
    slice.resize(std::min<std::size_t>(slice.size(), 2));
    return {slice, format.frame_shape(), format.type};
  }
  return {slice, format.shape, format.type};
}

std::uint64_t Selection::bytes() const noexcept { return shape_.elements() * element_size(type_); }

bool Selection::bins() const noexcept {
  return std::any_of(axes_.begin(), axes_.end(), [](const Axis& axis) { return axis.group > 1; });
}

Selection Selection::averaged() const noexcept {
  Selection selection = *this;
  selection.is_averaged_ = true;
  return selection;
}

template <class Visit>
void Selection::for_each_row(const Visit& visit) const {
  std::size_t row = 0;
  for (std::uint32_t z = 0; z < axes_[2].count; ++z) {
    for (std::uint32_t y = 0; y < axes_[1].count; ++y) {
      visit(axes_[0].at(0) + axes_[1].at(y) + axes_[2].at(z), row++ * axes_[0].count);
    }
  }
}

void Selection::take(std::span<const std::byte> frame, std::span<std::byte> out) const {
  const std::size_t size = element_size(type_);
  if (whole_) {
    std::memcpy(out.data(), frame.data(), out.size());
    return;
  }
  if (bins() && !is_averaged_) {
    average(frame, out);
    return;
  }
  for_each_row([&](std::uint64_t from, std::size_t to) {
    if (axes_[0].step == 1) {
      std::memcpy(&out[to * size], &frame[from * size], axes_[0].count * size);
      return;
    }
    for (std::uint32_t x = 0; x < axes_[0].count; ++x) {
      std::memcpy(&out[(to + x) * size],
                  &frame[(from + static_cast<std::uint64_t>(x * axes_[0].step)) * size], size);
    }
  });
}

void Selection::put(std::span<const std::byte> data, std::span<std::byte> frame) const {
  if (bins() && !is_averaged_) {
    reject_slice("a slice that averages cannot be written");
  }
  const std::size_t size = element_size(type_);
  for_each_row([&](std::uint64_t to, std::size_t from) {
    if (axes_[0].step == 1) {
      std::memcpy(&frame[to * size], &data[from * size], axes_[0].count * size);
      return;
    }
    for (std::uint32_t x = 0; x < axes_[0].count; ++x) {
      std::memcpy(&frame[(to + static_cast<std::uint64_t>(x * axes_[0].step)) * size],
                  &data[(from + x) * size], size);
    }
  });
}

void Selection::average(std::span<const std::byte> frame, std::span<std::byte> out) const {
  visit(type_, [&]<class T>(std::type_identity<T>) { average<Averaged<T>>(frame, out); });
}

template <class Element>
double Selection::sum_of_group(std::span<const std::byte> frame, std::uint64_t corner,
                               std::size_t part) const noexcept {
  using Value = typename Element::Value;
  const auto& [x_axis, y_axis, z_axis] = axes_;
  double sum = 0;
  for (std::uint64_t k = 0; k < z_axis.group; ++k) {
    for (std::uint64_t j = 0; j < y_axis.group; ++j) {
      for (std::uint64_t i = 0; i < x_axis.group; ++i) {
        const std::uint64_t index = corner + x_axis.within(i) + y_axis.within(j) + z_axis.within(k);
        Value value{};
        std::memcpy(&value, &frame[(index * Element::parts + part) * sizeof(Value)], sizeof(Value));
        sum += Element::get(value);
      }
    }
  }
  return sum;
}

template <class Element>
void Selection::average(std::span<const std::byte> frame, std::span<std::byte> out) const noexcept {
  using Value = typename Element::Value;
  const auto& [x_axis, y_axis, z_axis] = axes_;
  const double elements = static_cast<double>(x_axis.group) * y_axis.group * z_axis.group;
  std::size_t element = 0;
  for (std::uint32_t z = 0; z < z_axis.count; ++z) {
    for (std::uint32_t y = 0; y < y_axis.count; ++y) {
      for (std::uint32_t x = 0; x < x_axis.count; ++x, ++element) {
        const std::uint64_t corner = x_axis.at(x) + y_axis.at(y) + z_axis.at(z);
        for (std::size_t part = 0; part < Element::parts; ++part) {
          const Value mean = Element::make(sum_of_group<Element>(frame, corner, part) / elements);
          std::memcpy(&out[(element * Element::parts + part) * sizeof(Value)], &mean,
                      sizeof(Value));
        }
      }
    }
  }
}

}  // namespace shmim
