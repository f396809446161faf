#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shmim/export.hpp"

namespace shmim {

/// CLOCK_TAI: the clock of every stamp in a stream, in nanoseconds since 1970. Its dates can be
/// compared and subtracted, which gives a std::chrono duration, but not added.
struct SHMIM_EXPORT TaiClock {
  // NOLINTBEGIN(readability-identifier-naming): the names that std::chrono asks for
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<TaiClock>;
  // NOLINTEND(readability-identifier-naming)
  static constexpr bool is_steady = false;
  [[nodiscard]] static time_point now() noexcept;
};

/// A date on that clock.
using Tai = TaiClock::time_point;
/// What a stamp that was never set says.
inline constexpr Tai never{};
/// What a stamp is that is beyond 64 bits of nanoseconds: no date between 1678 and 2262.
inline constexpr Tai out_of_range = Tai::max();
/// Neither of them.
[[nodiscard]] constexpr bool is_date(Tai time) noexcept {
  return time != never && time != out_of_range;
}

/// A moment on the steady clock at which waiting ends; nullopt: waits without a limit.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// `later` minus `earlier`. For stamps of a header, which may hold any number: wraps on nonsense,
/// where `later - earlier` would overflow.
[[nodiscard]] constexpr std::chrono::nanoseconds elapsed(Tai earlier, Tai later) noexcept {
  return std::chrono::nanoseconds{
      static_cast<std::int64_t>(static_cast<std::uint64_t>(later.time_since_epoch().count()) -
                                static_cast<std::uint64_t>(earlier.time_since_epoch().count()))};
}
/// TAI minus UTC as the kernel knows it: 37 s where time is well kept, 0 where nobody has told it.
[[nodiscard]] SHMIM_EXPORT std::chrono::seconds tai_offset() noexcept;
/// The date in UTC: `2026-11-22T01:52:49.123456789Z`; `never` for shmim::never, and
/// `out of range`.
[[nodiscard]] SHMIM_EXPORT std::string to_utc(Tai time);
/// Seconds since 1970 in UTC, as `date +%s.%N` prints them: `1795312369.123456789`. Of a date.
[[nodiscard]] SHMIM_EXPORT std::string unix_seconds(Tai time);
/// Reads `2026-11-22T01:52:49.5Z`, or the seconds since 1970 that `date +%s.%N` prints. Throws
/// Error (usage) for anything else, and for times that are not between 1970 and 2255.
[[nodiscard]] SHMIM_EXPORT Tai parse_utc(std::string_view text);

/// The deadline that is `duration` from now; nullopt for none: no limit.
[[nodiscard]] SHMIM_EXPORT Deadline
deadline_after(std::optional<std::chrono::nanoseconds> duration) noexcept;

}  // namespace shmim
