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
  const std::time_t whole = time.count() / second - (behind < 0 ? 1 : 0) - tai_offset().count();
  std::tm fields{};
  gmtime_r(&whole, &fields);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", fields.tm_year + 1900,
                     fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min,
                     fields.tm_sec, nanoseconds);
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
