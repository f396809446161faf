#include "common/print/picture_text.hpp"

#include <algorithm>

namespace shmim::tools {

std::vector<std::string> picture_lines(std::span<const unsigned> shades, std::size_t width) {
  std::vector<std::string> lines;
  for (std::size_t end = shades.size(); end >= width && width > 0; end -= width) {
    std::string& line = lines.emplace_back();
    for (const unsigned shade : shades.subspan(end - width, width)) {
      line += letters_of_shades[std::min<std::size_t>(shade, letters_of_shades.size() - 1)];
    }
  }
  return lines;
}

}  // namespace shmim::tools
