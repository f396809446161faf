#pragma once

#include <optional>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// Between which values a picture goes from black to white.
struct Cuts {
  enum class Kind {
    percentile,  ///< all but the darkest and the brightest hundredth
    full,        ///< the least and the largest value
    fixed,       ///< as the user says
  };
  Kind kind = Kind::percentile;
  double low = 0;  ///< of fixed ones
  double high = 0;
  bool operator==(const Cuts&) const = default;
};

/// A frame made small: shades of `shades`, row by row, the first at the bottom as in FITS.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<unsigned> pixels;
  double low = 0;   ///< black
  double high = 0;  ///< white
  std::uint64_t cnt0 = 0;
  [[nodiscard]] unsigned at(int x, int y) const {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
};

/// The newest frame of a stream (its newest slice, of a circular one), at most so large. Nothing
/// where no whole frame is to be had at once.
std::optional<Picture> picture_of(const Stream& stream, int width, int height, const Cuts& cuts,
                                  unsigned shades);

}  // namespace shmim::tools
