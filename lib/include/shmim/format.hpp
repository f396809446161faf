#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/element.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// Lengths of one to three axes; axis 0 varies fastest (NAXIS1 of FITS, columns of an image).
class SHMIM_EXPORT Shape {
 public:
  Shape() noexcept = default;
  /// Throws Error (usage): no axis, more than three, or one of length 0.
  explicit Shape(std::span<const std::uint32_t> axes);
  Shape(std::initializer_list<std::uint32_t> axes) : Shape(std::span(axes.begin(), axes.size())) {}

  [[nodiscard]] std::size_t axes() const noexcept { return axes_; }
  [[nodiscard]] std::uint32_t operator[](std::size_t axis) const noexcept { return lengths_[axis]; }
  /// Of the axes, from axis 0 on. Valid as long as the shape.
  [[nodiscard]] std::span<const std::uint32_t> lengths() const& noexcept {
    return std::span(lengths_).first(axes_);
  }
  std::span<const std::uint32_t> lengths() const&& = delete;
  [[nodiscard]] std::uint64_t elements() const noexcept;
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::size_t axes_ = 0;
  std::array<std::uint32_t, layout::max_axes> lengths_{};
};

/// `320x256`
[[nodiscard]] SHMIM_EXPORT std::string to_string(const Shape& shape);
/// Reads `320x256`. Throws Error (usage).
[[nodiscard]] SHMIM_EXPORT Shape parse_shape(std::string_view text);
/// How many frames of a shape an array is, one behind the other: one, or as many as its last axis
/// is long; nullopt where it is neither.
[[nodiscard]] SHMIM_EXPORT std::optional<std::uint32_t> frames_of_shape(const Shape& array,
                                                                        const Shape& frame);

/// What a stream is made with, fixed for its life.
struct SHMIM_EXPORT Format {
  DataType type = DataType::float32;
  Shape shape;
  std::uint16_t keywords = 10;        ///< slots
  std::uint32_t circular_buffer = 0;  ///< frames; 0 none
  std::uint16_t semaphores = 10;
  std::uint16_t trace_entries = 10;
  std::uint64_t image_type = layout::image_math_data;
  std::int8_t location = -1;  ///< -1 in CPU memory, else the GPU that holds the array

  /// True where z is time: a frame is one plane, and the array holds the last of them.
  [[nodiscard]] bool is_circular() const noexcept {
    return shape.axes() == layout::max_axes && layout::is_plane_ring(image_type);
  }
  /// Shape of what is published at a time: of the array, or of one plane where z is time.
  [[nodiscard]] Shape frame_shape() const;
  /// Bytes of the whole array.
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  /// Bytes of what is published at a time.
  [[nodiscard]] std::uint64_t frame_bytes() const;
  /// Bytes of the file.
  [[nodiscard]] std::uint64_t file_bytes() const;
  friend bool operator==(const Format&, const Format&) = default;
};

[[nodiscard]] SHMIM_EXPORT layout::Geometry geometry_of(const Format& format) noexcept;
/// The format that a header says, of which layout::lay_out() makes a stream.
[[nodiscard]] SHMIM_EXPORT Format format_of(const layout::Geometry& geometry);

/// What is asked of a format; what is not set may be anything.
struct SHMIM_EXPORT Requirement {
  std::optional<DataType> type;
  std::optional<Shape> shape;
  std::optional<std::uint16_t> keywords;
  std::optional<std::uint32_t> circular_buffer;
  std::optional<std::uint16_t> semaphores;
  std::optional<std::uint64_t> image_type;

  [[nodiscard]] bool empty() const noexcept;
};
/// Type and shape alone: what readers and writers of frames rely on.
[[nodiscard]] SHMIM_EXPORT Requirement type_and_shape(const Format& format);
[[nodiscard]] SHMIM_EXPORT Requirement type_and_shape(const Requirement& requirement);
/// Every field that `format` fixes, the number of trace entries apart.
[[nodiscard]] SHMIM_EXPORT Requirement requirement_of(const Format& format);

/// A field in which a stream is not what was asked for.
struct Difference {
  std::string field;  ///< `type`, `size`, `keywords`, `circular buffer`, `semaphores`, `image type`
  std::string wanted;
  std::string found;
};
[[nodiscard]] SHMIM_EXPORT std::vector<Difference> differences(const Format& format,
                                                               const Requirement& requirement);
/// `type is float32, not uint16; size is 4x4, not 8x8`
[[nodiscard]] SHMIM_EXPORT std::string to_string(std::span<const Difference> differences);

}  // namespace shmim
