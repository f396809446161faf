#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/io/stdout.hpp"

namespace shmim::tools {

/// Where frames of one size differ: of a cube in any of its planes.
class DifferenceMap {
 public:
  /// That element of a frame of this shape differs. Elements of frames of another size than the
  /// first are left out.
  void mark(std::uint64_t element, const Shape& shape);
  /// A picture in characters, at most so large; empty where nothing is marked.
  [[nodiscard]] std::string to_text(const TextSize& room) const;

 private:
  std::size_t width_ = 0;
  std::size_t height_ = 0;
  std::vector<bool> marked_;  ///< of a plane
};

}  // namespace shmim::tools
