#include "network/codec_choice.hpp"

#include <algorithm>
#include <chrono>

#include "network/packing.hpp"

namespace shmim::network {

Yields measure_codecs(DataType type, std::span<const std::byte> pixels) {
  using std::chrono::steady_clock;
  constexpr std::size_t most = 256 << 10;
  const std::size_t size = std::min(pixels.size(), most);
  // From the middle, where most pictures have what they are of.
  const auto part = pixels.subspan((pixels.size() - size) / 2 / most * most, size);
  Yields yields;
  for (const Compression codec : codecs) {
    const auto begin = steady_clock::now();
    const std::size_t packed = pack(codec, type, part).size();
    const std::chrono::duration<double> taken = steady_clock::now() - begin;
    const auto bytes = static_cast<double>(size);
    yields.at(index_of(codec)) = {packed == 0 ? 1 : bytes / static_cast<double>(packed),
                                  bytes / taken.count()};
  }
  return yields;
}

}  // namespace shmim::network
