#pragma once

#include <cstdint>

#include "shmim/clock.hpp"

namespace shmim {

/// What is known of a frame besides its pixels.
struct FrameInfo {
  std::uint64_t cnt0 = 0;
  std::uint64_t cnt1 = 0;
  Tai atime{};
  Tai writetime{};
  Tai accesstime{};  ///< never of one from a circular buffer, which has none

  friend bool operator==(const FrameInfo&, const FrameInfo&) = default;
};

/// When `frame` was written, by what has moved since the frame `before`: its writetime, or its
/// accesstime, which is all that pyMilk stamps. Never, if neither has: its writer stamps no time.
[[nodiscard]] constexpr Tai written_after(const FrameInfo& before,
                                          const FrameInfo& frame) noexcept {
  return frame.writetime != before.writetime     ? frame.writetime
         : frame.accesstime != before.accesstime ? frame.accesstime
                                                 : never;
}

}  // namespace shmim
