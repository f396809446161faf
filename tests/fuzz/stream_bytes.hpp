// The bytes of a fuzzer made into those of a stream file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <shmim/layout.hpp>

namespace shmim::fuzz {

inline constexpr std::uint64_t largest_file = 1 << 20;

/// Where the parts of a stream are, by the header that `bytes` begin with; none if it is nonsense.
inline std::optional<layout::Regions> regions_in(std::span<const std::uint8_t> bytes) {
  layout::Metadata header{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), sizeof(header))),
                    reinterpret_cast<std::uint8_t*>(&header));
  return layout::lay_out(layout::geometry_in(header));
}

/// The size that the header asks for, so that more than one input in a million gets past that
/// check; its own where that is none.
inline std::size_t size_for(std::span<const std::uint8_t> bytes) {
  const auto regions = regions_in(bytes);
  const std::uint64_t asked =
      regions && regions->total <= largest_file ? regions->total : bytes.size();
  return static_cast<std::size_t>(std::max<std::uint64_t>(asked, bytes.empty() ? 0 : 1));
}

/// The input with its keyword slots at rest, but for one input in 16: what is busy is waited for,
/// longer than a hundred other inputs take.
inline std::vector<std::uint8_t> mostly_at_rest(std::span<const std::uint8_t> input) {
  std::vector<std::uint8_t> bytes(input.begin(), input.end());
  const auto regions = regions_in(bytes);
  if (!regions || bytes.size() % 16 == 0) {
    return bytes;
  }
  constexpr std::size_t top = offsetof(layout::KeywordSlot, cnt) + sizeof(std::uint64_t) - 1;
  for (std::size_t at = regions->keywords + top; at < std::min(bytes.size(), regions->semaphores);
       at += sizeof(layout::KeywordSlot)) {
    bytes[at] &= 0x7fU;
  }
  return bytes;
}

}  // namespace shmim::fuzz
