#include "shmim/format.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "shmim/error.hpp"

namespace shmim {
namespace {

template <class T>
void compare(std::vector<Difference>& differences, const char* field,
             const std::optional<T>& wanted, const T& found) {
  if (wanted && *wanted != found) {
    const auto text = [](const T& value) {
      if constexpr (std::is_integral_v<T>) {
        return std::to_string(value);
      } else {
        return std::string(to_string(value));
      }
    };
    differences.push_back({field, text(*wanted), text(found)});
  }
}

}  // namespace

Shape::Shape(std::span<const std::uint32_t> axes) : axes_(axes.size()) {
  if (axes.empty() || axes.size() > layout::max_axes) {
    throw Error(Problem::usage, "",
                fmt::format("a size of {} axes: a stream has one to three", axes.size()));
  }
  if (std::find(axes.begin(), axes.end(), 0U) != axes.end()) {
    throw Error(Problem::usage, "", "a size with an axis of length 0: each is at least 1");
  }
  std::copy(axes.begin(), axes.end(), lengths_.begin());
}

std::uint64_t Shape::elements() const noexcept {
  std::uint64_t elements = axes_ == 0 ? 0 : 1;
  for (std::size_t axis = 0; axis < axes_; ++axis) {
    elements *= lengths_[axis];
  }
  return elements;
}

std::string to_string(const Shape& shape) {
  std::string text;
  for (std::size_t axis = 0; axis < shape.axes(); ++axis) {
    text += fmt::format("{}{}", axis == 0 ? "" : "x", shape[axis]);
  }
  return text;
}

std::optional<std::uint32_t> frames_of_shape(const Shape& array, const Shape& frame) {
  if (array == frame) {
    return 1;
  }
  const auto lengths = array.lengths();
  const bool is_several = lengths.size() == frame.axes() + 1 &&
                          std::ranges::equal(lengths.first(frame.axes()), frame.lengths());
  return is_several ? std::optional(lengths.back()) : std::nullopt;
}

Shape parse_shape(std::string_view text) {
  std::vector<std::uint32_t> axes;
  for (std::string_view rest = text;;) {
    const std::string_view length = rest.substr(0, rest.find('x'));
    std::uint32_t value = 0;
    const auto* end = length.data() + length.size();
    const auto [stop, error] = std::from_chars(length.data(), end, value);
    if (error == std::errc::result_out_of_range) {
      throw Error(Problem::usage, "",
                  fmt::format("size '{}': an axis has at most {} elements", text,
                              std::numeric_limits<std::uint32_t>::max()));
    }
    if (error != std::errc{} || stop != end) {
      throw Error(Problem::usage, "",
                  fmt::format("size '{}' is not like 128, 320x256 or 320x256x100", text));
    }
    axes.push_back(value);
    if (length.size() == rest.size()) {
      return Shape(axes);
    }
    rest.remove_prefix(length.size() + 1);
  }
}

Shape Format::frame_shape() const { return is_circular() ? Shape{shape[0], shape[1]} : shape; }

std::uint64_t Format::bytes() const noexcept { return shape.elements() * element_size(type); }

std::uint64_t Format::frame_bytes() const { return frame_shape().elements() * element_size(type); }

std::uint64_t Format::file_bytes() const {
  const auto regions = layout::lay_out(geometry_of(*this));
  if (!regions) {
    throw Error(
        Problem::usage, "",
        fmt::format("{} {} is more than a file can hold", to_string(type), to_string(shape)));
  }
  return regions->total;
}

layout::Geometry geometry_of(const Format& format) noexcept {
  layout::Geometry geometry;
  geometry.naxis = static_cast<std::uint8_t>(format.shape.axes());
  std::ranges::copy(format.shape.lengths(), geometry.size.begin());
  geometry.datatype = static_cast<std::uint8_t>(format.type);
  geometry.imagetype = format.image_type;
  geometry.location = format.location;
  geometry.semaphores = format.semaphores;
  geometry.trace_entries = format.trace_entries;
  geometry.keywords = format.keywords;
  geometry.circular_buffer = format.circular_buffer;
  return geometry;
}

Format format_of(const layout::Geometry& geometry) {
  Format format;
  format.type = static_cast<DataType>(geometry.datatype);
  format.shape = Shape(std::span(geometry.size).first(geometry.naxis));
  format.keywords = geometry.keywords;
  format.circular_buffer = geometry.circular_buffer;
  format.semaphores = geometry.semaphores;
  format.trace_entries = geometry.trace_entries;
  format.image_type = geometry.imagetype;
  format.location = geometry.location;
  return format;
}

bool Requirement::empty() const noexcept {
  return !type && !shape && !keywords && !circular_buffer && !semaphores && !image_type;
}

Requirement type_and_shape(const Requirement& requirement) {
  Requirement frames;
  frames.type = requirement.type;
  frames.shape = requirement.shape;
  return frames;
}

Requirement type_and_shape(const Format& format) { return type_and_shape(requirement_of(format)); }

Requirement requirement_of(const Format& format) {
  return {format.type,       format.shape,     format.keywords, format.circular_buffer,
          format.semaphores, format.image_type};
}

std::vector<Difference> differences(const Format& format, const Requirement& requirement) {
  std::vector<Difference> found;
  compare(found, "type", requirement.type, format.type);
  compare(found, "size", requirement.shape, format.shape);
  compare(found, "keywords", requirement.keywords, format.keywords);
  compare(found, "circular buffer", requirement.circular_buffer, format.circular_buffer);
  compare(found, "semaphores", requirement.semaphores, format.semaphores);
  compare(found, "image type", requirement.image_type, format.image_type);
  return found;
}

std::string to_string(std::span<const Difference> differences) {
  std::string text;
  for (const Difference& difference : differences) {
    text += fmt::format("{}{} is {}, not {}", text.empty() ? "" : "; ", difference.field,
                        difference.found, difference.wanted);
  }
  return text;
}

}  // namespace shmim
