#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "shmim/export.hpp"

namespace shmim {

/// Nanoseconds of CLOCK_TAI since 1970: the clock of every stamp in a stream. 0 means never.
using Tai = std::chrono::duration<std::int64_t, std::nano>;

/// A moment on the steady clock at which waiting ends; nothing waits for ever.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

[[nodiscard]] SHMIM_EXPORT Tai now() noexcept;
/// `later` minus `earlier`. For stamps of a header, which may hold any number: wraps on nonsense.
[[nodiscard]] constexpr Tai elapsed(Tai earlier, Tai later) noexcept {
  return Tai{static_cast<std::int64_t>(static_cast<std::uint64_t>(later.count()) -
                                       static_cast<std::uint64_t>(earlier.count()))};
}
/// TAI minus UTC as the kernel knows it: 37 s where time is well kept, 0 where nobody has told it.
[[nodiscard]] SHMIM_EXPORT std::chrono::seconds tai_offset() noexcept;
/// `2026-11-22T01:52:49.123456789Z`; `never` for 0.
[[nodiscard]] SHMIM_EXPORT std::string to_utc(Tai time);
/// Reads `2026-11-22T01:52:49.5Z`, or the seconds since 1970 that `date +%s.%N` prints. Throws
/// Error (usage) for anything else, and for times that are not between 1970 and 2255.
[[nodiscard]] SHMIM_EXPORT Tai parse_utc(std::string_view text);

/// `duration` from now; for ever where there is none.
[[nodiscard]] SHMIM_EXPORT Deadline
deadline_after(std::optional<std::chrono::nanoseconds> duration) noexcept;

}  // namespace shmim
