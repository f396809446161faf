#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shmim::tools {

/// Characters from dark to bright, for what has no colours.
inline constexpr std::string_view letters_of_shades = " .:-=+*#%@";

/// A picture in `width` columns as lines of them; `shades` number them row by row. The first row is
/// below, as FITS viewers have it.
std::vector<std::string> picture_lines(std::span<const unsigned> shades, std::size_t width);

}  // namespace shmim::tools
