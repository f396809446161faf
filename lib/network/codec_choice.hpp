#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "network/packet.hpp"

namespace shmim::network {

/// What a codec makes of the frames of a stream.
struct Yield {
  double times_smaller = 0;
  double bytes_per_second = 0;
};
using Yields = std::array<Yield, codecs.size()>;

/// How small, and how fast, each codec makes a part of these pixels.
[[nodiscard]] Yields measure_codecs(DataType type, std::span<const std::byte> pixels);

/// The codec by which a frame of so many bytes is there soonest, over a line of so many bytes in a
/// second; as it is `now`, unless another is clearly better.
[[nodiscard]] Compression choose_codec(const Yields& yields, Compression now, double bytes,
                                       double rate);

inline Compression choose_codec(const Yields& yields, Compression now, double bytes, double rate) {
  // What it takes to pack it, and to send what is left of it.
  const auto seconds = [&](Compression codec) {
    if (codec == Compression::none) {
      return bytes / rate;
    }
    const Yield& yield = yields.at(index_of(codec));
    return bytes / yield.bytes_per_second + bytes / yield.times_smaller / rate;
  };
  const Compression best =
      std::ranges::min(std::array{Compression::none, codecs[0], codecs[1]}, {}, seconds);
  // All is measured with some error: it is not to go to and fro, nor to work in vain.
  constexpr double clearly = 0.85;
  constexpr double hardly = 0.95;
  if (seconds(best) <= clearly * seconds(now)) {
    return best;
  }
  const bool is_in_vain =
      now != Compression::none && seconds(now) > hardly * seconds(Compression::none);
  return is_in_vain ? Compression::none : now;
}

}  // namespace shmim::network
