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

/// Reads one element as to_text() writes it; false where the type cannot hold what `text` says.
[[nodiscard]] bool read_element(std::string_view text, DataType type, std::span<std::byte> element);

}  // namespace shmim::tools
