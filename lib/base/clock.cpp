#include "shmim/clock.hpp"

#include <ctime>

#include <fmt/format.h>
#include <sys/timex.h>

namespace shmim {

Tai now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_TAI, &time);
  return std::chrono::seconds{time.tv_sec} + Tai{time.tv_nsec};
}

std::chrono::seconds tai_offset() noexcept {
  timex kernel{};
  return adjtimex(&kernel) < 0 ? std::chrono::seconds{0} : std::chrono::seconds{kernel.tai};
}

std::string to_utc(Tai time) {
  if (time == Tai{0}) {
    return "never";
  }
  // By hand: a header may hold any number, and the ends of the range overflow std::chrono::floor.
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t behind = time.count() % second;
  const std::int64_t nanoseconds = behind < 0 ? behind + second : behind;
  const std::chrono::sys_seconds whole{
      std::chrono::seconds{time.count() / second - (behind < 0 ? 1 : 0)} - tai_offset()};
  // Nor by gmtime_r, which reads the file of the local time zone first.
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{whole - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     nanoseconds);
}

Deadline deadline_after(std::optional<std::chrono::nanoseconds> duration) noexcept {
  if (!duration) {
    return std::nullopt;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto left = std::chrono::steady_clock::time_point::max() - begin;
  return begin + std::min<std::chrono::nanoseconds>(*duration, left);
}

}  // namespace shmim
