#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/format.hpp"

namespace shmim {

/// What to take of one axis, as written: `*`, `-*`, `5`, `a:b`, `a:b::s`, `a:b::sb`. Both ends are
/// included and count from 0, negative ones from the end. `@`, of z where it is time: the newest
/// plane.
struct AxisSlice {
  bool newest = false;                ///< `@`
  bool reversed = false;              ///< `-*`
  bool single = false;                ///< `5`: `first` alone
  std::optional<std::int64_t> first;  ///< the axis's first where it is not set
  std::optional<std::int64_t> last;   ///< the axis's last where it is not set
  std::uint64_t step = 1;
  bool bin = false;  ///< the mean over groups of `step`, rather than one of each
  friend bool operator==(const AxisSlice&, const AxisSlice&) = default;
};

/// One AxisSlice per axis; axes that are not mentioned are whole. Empty: the whole frame.
using Slice = std::vector<AxisSlice>;

/// True if it is of the newest plane: `[*,*,@]`.
[[nodiscard]] SHMIM_EXPORT bool is_of_newest_plane(const Slice& slice) noexcept;

/// A slice of a given shape: what it yields, and how to take it out of a frame or put it in.
class SHMIM_EXPORT Selection {
 public:
  /// Throws Error (usage): more axes than the shape has, out of range (naming the axis and its
  /// length), nothing left of an axis.
  Selection(const Slice& slice, const Shape& shape, DataType type);

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] DataType type() const noexcept { return type_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  /// True where it is the frame as it is: nothing to rearrange.
  [[nodiscard]] bool is_whole() const noexcept { return whole_; }
  [[nodiscard]] bool bins() const noexcept;
  /// The same of a frame in which somebody has averaged already: the mean of each group is its
  /// first element, and that can be put in.
  [[nodiscard]] Selection averaged() const noexcept;

  /// Which elements of an axis it takes: `group` of them, in the direction of `step`, make the
  /// first of the selection, and those `step` further on the next.
  struct Steps {
    std::uint64_t first = 0;
    std::int64_t step = 1;  ///< negative where reversed
    std::uint32_t group = 1;
  };
  [[nodiscard]] Steps steps(std::size_t axis) const noexcept {
    return {axes_[axis].first, axes_[axis].step, axes_[axis].group};
  }

  /// Copies the selected elements of `frame` to `out`, which has bytes(). Means of integers are
  /// rounded to nearest.
  void take(std::span<const std::byte> frame, std::span<std::byte> out) const;
  /// Copies `data`, which has bytes(), to the selected elements of `frame`; the others stay. Throws
  /// Error (usage) where it bins, and is not averaged().
  void put(std::span<const std::byte> data, std::span<std::byte> frame) const;

 private:
  struct Axis {
    std::uint64_t first = 0;
    std::int64_t step = 1;     ///< in elements of the axis, negative where reversed
    std::uint32_t group = 1;   ///< elements averaged
    std::uint32_t count = 1;   ///< elements it yields
    std::uint64_t stride = 0;  ///< elements of the frame between two of this axis
    /// Where element `i` of the selection begins, along this axis, in elements of the frame.
    [[nodiscard]] std::uint64_t at(std::uint64_t i) const noexcept {
      return (first + i * static_cast<std::uint64_t>(step)) * stride;
    }
    /// From there to member `i` of its group.
    [[nodiscard]] std::uint64_t within(std::uint64_t i) const noexcept {
      return (step < 0 ? 0 - i : i) * stride;
    }
  };
  /// Calls visit(element of the frame, element of the selection) for the first element of each row.
  template <class Visit>
  void for_each_row(const Visit& visit) const;
  void average(std::span<const std::byte> frame, std::span<std::byte> out) const;
  template <class Element>
  [[nodiscard]] double sum_of_group(std::span<const std::byte> frame, std::uint64_t corner,
                                    std::size_t part) const noexcept;
  template <class Element>
  void average(std::span<const std::byte> frame, std::span<std::byte> out) const noexcept;
  Shape shape_;
  DataType type_;
  std::array<Axis, layout::max_axes> axes_{};
  bool whole_ = true;
  bool is_averaged_ = false;
};

/// True where a follower is to take planes: z is time, and the slice says nothing of the third
/// axis, or that it is the newest. Otherwise it is to take the array; see
/// FollowOptions::whole_array.
[[nodiscard]] SHMIM_EXPORT bool follows_planes(const Slice& slice, const Format& format) noexcept;

/// The same of one frame that is there: of the newest plane, which the slice names, or the array.
[[nodiscard]] SHMIM_EXPORT bool takes_newest_plane(const Slice& slice,
                                                   const Format& format) noexcept;

/// Of one plane, where z is time, whose slice says nothing of the third axis, or of the array.
[[nodiscard]] SHMIM_EXPORT Selection selection_of(Slice slice, const Format& format,
                                                  bool is_of_plane);

}  // namespace shmim
