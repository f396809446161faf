#include "shmim/clock.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <sys/timex.h>

#include "shmim/error.hpp"

namespace shmim {
namespace {

/// The date and time at the beginning of `text`, which it is taken off, in seconds since 1970.
std::optional<std::int64_t> take_date(std::string_view& text) {
  std::tm fields{};
  const std::string whole(text);
  const char* end = strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (end == nullptr) {
    return std::nullopt;
  }
  std::tm normal = fields;
  const std::int64_t seconds = timegm(&normal);
  if (normal.tm_mday != fields.tm_mday) {
    return std::nullopt;  // the 31st of February
  }
  text.remove_prefix(static_cast<std::size_t>(end - whole.c_str()));
  return seconds;
}

template <class Number, class... Format>
std::optional<Number> take_number(std::string_view& text, Format... format) {
  Number number{};
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, format...);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

/// Not by std::round: libm is slow to load.
std::chrono::nanoseconds to_nearest_nanosecond(double fraction) noexcept {
  const double nanoseconds = fraction * 1e9;
  const auto whole = static_cast<std::int64_t>(nanoseconds);
  const bool is_nearer_to_next = nanoseconds - static_cast<double>(whole) >= 0.5;
  return std::chrono::nanoseconds{is_nearer_to_next ? whole + 1 : whole};
}

/// In UTC, and the nanoseconds from there on.
std::pair<std::chrono::sys_seconds, std::int64_t> parts_of(Tai time) noexcept {
  // By hand: a header may hold any number, and the ends of the range overflow std::chrono::floor.
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t behind = count % second;
  const std::chrono::seconds whole{count / second - (behind < 0 ? 1 : 0)};
  return {std::chrono::sys_seconds{whole - tai_offset()}, behind < 0 ? behind + second : behind};
}

}  // namespace

Tai TaiClock::now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_TAI, &time);
  return time_point{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

std::chrono::seconds tai_offset() noexcept {
  timex kernel{};
  return adjtimex(&kernel) < 0 ? std::chrono::seconds{0} : std::chrono::seconds{kernel.tai};
}

std::string to_utc(Tai time) {
  if (time == never) {
    return "never";
  }
  if (time == out_of_range) {
    return "out of range";
  }
  const auto [whole, nanoseconds] = parts_of(time);
  // Nor by gmtime_r, which reads the file of the local time zone first.
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{whole - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     nanoseconds);
}

std::string unix_seconds(Tai time) {
  const auto [whole, nanoseconds] = parts_of(time);
  return fmt::format("{}.{:09}", whole.time_since_epoch().count(), nanoseconds);
}

Tai parse_utc(std::string_view text) {
  std::string_view rest = text;
  auto seconds = take_date(rest);
  if (!seconds) {
    seconds = take_number<std::int64_t>(rest);
  }
  const double fraction =
      rest.starts_with('.') ? take_number<double>(rest, std::chars_format::fixed).value_or(0) : 0;
  if (!seconds || !(rest.empty() || rest == "Z")) {
    throw Error(
        Problem::usage, "",
        fmt::format("'{}' is neither like 2026-11-22T01:52:49.5Z nor seconds since 1970", text));
  }
  constexpr std::int64_t latest = 9'000'000'000;  // 64 bits of nanoseconds end in 2262
  if (*seconds < 0 || *seconds > latest) {
    throw Error(Problem::usage, "",
                fmt::format("'{}' is not between the years 1970 and 2255; it is in seconds", text));
  }
  return Tai{std::chrono::seconds{*seconds} + to_nearest_nanosecond(fraction) + tai_offset()};
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
