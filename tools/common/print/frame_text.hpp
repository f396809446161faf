#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// A frame as text: a line per row, numbers in their shortest exact form, a blank line between
/// planes.
std::string to_text(std::span<const std::byte> frame, DataType type, const Shape& shape);
/// The same, handed out part by part.
void to_text(std::span<const std::byte> frame, DataType type, const Shape& shape,
             const std::function<void(std::string_view)>& write);

/// Sets every element of a frame to the value that `text` says. Throws UsageError where the type
/// cannot hold it.
void fill_with(std::span<std::byte> frame, DataType type, const std::string& text);

/// A frame in NumPy's format: header and data, whole. Axes in C order, as NumPy has them.
std::string npy_header(DataType type, const Shape& shape);

}  // namespace shmim::tools
