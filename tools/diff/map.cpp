#include "diff/map.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/print/picture_text.hpp"

namespace shmim::tools {
namespace {

std::size_t parts(std::size_t length, std::size_t size) { return (length + size - 1) / size; }

}  // namespace

void DifferenceMap::mark(std::uint64_t element, const Shape& shape) {
  const std::size_t width = shape[0];
  const std::size_t height = shape.axes() > 1 ? shape[1] : 1;
  if (marked_.empty()) {
    width_ = width;
    height_ = height;
    marked_.resize(width * height);
  }
  if (width == width_ && height == height_) {
    marked_[element % marked_.size()] = true;
  }
}

std::string DifferenceMap::to_text(const TextSize& room) const {
  if (marked_.empty()) {
    return {};
  }
  // A frame around it, the line that says what it is, and the one that a shell writes next.
  const std::size_t columns = std::max<std::size_t>(room.columns, 12) - 2;
  const std::size_t rows = std::max<std::size_t>(room.rows, 12) - 4;
  // A character is about twice as high as it is wide.
  std::size_t wide = 1;
  std::size_t high = 1;
  while (parts(width_, wide) > columns || parts(height_, high) > rows) {
    wide += high > 1 ? 1 : 0;
    high = 2 * wide;
  }
  const std::size_t across = parts(width_, wide);
  std::vector<std::uint64_t> counts(across * parts(height_, high));
  for (std::size_t i = 0; i < marked_.size(); ++i) {
    counts[i / width_ / high * across + i % width_ / wide] += marked_[i] ? 1 : 0;
  }
  std::vector<unsigned> shades;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::uint64_t size =
        std::min(wide, width_ - i % across * wide) * std::min(high, height_ - i / across * high);
    constexpr std::uint64_t brightest = letters_of_shades.size() - 1;
    const std::uint64_t above_first = counts[i] == 0 ? 0 : 1 + (brightest - 1) * counts[i] / size;
    shades.push_back(static_cast<unsigned>(std::min(above_first, brightest)));
  }
  const std::string edge = fmt::format("+{:-<{}}+\n", "", across);
  std::string text = edge;
  for (const std::string& line : picture_lines(shades, across)) {
    text += fmt::format("|{}|\n", line);
  }
  return text + edge + fmt::format("a character is {}x{}, @ all of it\n", wide, high);
}

}  // namespace shmim::tools
