#include <chrono>
#include <limits>
#include <type_traits>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

static_assert(std::chrono::is_clock_v<TaiClock>);
static_assert(std::is_same_v<decltype(Tai{} - Tai{}), std::chrono::nanoseconds>);

TEST_CASE("the clock of the stamps is the kernel's TAI") {
  const auto utc = std::chrono::system_clock::now().time_since_epoch() + tai_offset();
  const auto apart = TaiClock::now().time_since_epoch() - utc;
  CHECK(apart < std::chrono::minutes{1});
  CHECK(apart > -std::chrono::minutes{1});
}

TEST_CASE("a date goes into a stamp and comes back") {
  const Tai date{std::chrono::seconds{1'795'308'092} + std::chrono::nanoseconds{5}};
  CHECK(to_timespec(date).seconds == 1'795'308'092);
  CHECK(to_timespec(date).nanoseconds == 5);
  CHECK(to_tai(to_timespec(date)) == date);
  CHECK(to_tai({0, 0}) == never);
}

TEST_CASE("the time between two stamps, of any numbers") {
  CHECK(elapsed(Tai{std::chrono::seconds{1}}, Tai{std::chrono::seconds{3}}) ==
        std::chrono::seconds{2});
  const Tai latest{std::chrono::nanoseconds{std::numeric_limits<std::int64_t>::max()}};
  const Tai earliest{std::chrono::nanoseconds{std::numeric_limits<std::int64_t>::min()}};
  // NOLINTNEXTLINE(readability-suspicious-call-argument): the wrong way round, on purpose
  CHECK(elapsed(latest, earliest) == std::chrono::nanoseconds{1});  // wraps
}

TEST_CASE("dates in UTC are read, as are the seconds that `date` prints") {
  const Tai date{std::chrono::seconds{1'795'308'092} + std::chrono::milliseconds{500} +
                 tai_offset()};
  CHECK(parse_utc("2026-11-22T00:41:32.5Z") == date);
  CHECK(parse_utc("2026-11-22T00:41:32.5") == date);
  CHECK(parse_utc("1795308092.500000000") == date);
  CHECK(parse_utc(to_utc(date)) == date);
  const auto why = [](const char* text) {
    return std::string(error_of([&] { return parse_utc(text); }).what());
  };
  for (const char* text : {"", "yesterday", "2026-02-31T00:00:00Z", "5x", "1.5 "}) {
    CHECK(why(text) == "'" + std::string(text) +
                           "' is neither like 2026-11-22T01:52:49.5Z nor seconds since 1970");
  }
  CHECK(why("-1").find("is not between the years 1970 and 2255") != std::string::npos);
  CHECK(why("9999999999999").find("it is in seconds") != std::string::npos);
}

TEST_CASE("a stamp beyond 64 bits of nanoseconds is out of range, and no other date") {
  const layout::Timespec milliseconds{1'795'601'592'660, 0};  // where seconds belong
  CHECK(to_tai(milliseconds) == out_of_range);
  CHECK(to_tai({9'223'372'036, 999'999'999}) == out_of_range);
  CHECK(to_tai({std::numeric_limits<std::int64_t>::min(), 0}) == out_of_range);
  CHECK(to_tai({1, std::numeric_limits<std::int64_t>::max()}) == out_of_range);
  CHECK(to_utc(out_of_range) == "out of range");
  CHECK(is_date(to_tai({9'223'372'035, 0})));
  CHECK_FALSE(is_date(out_of_range));
  CHECK_FALSE(is_date(never));
}

TEST_CASE("seconds since 1970, as `date` prints them") {
  const Tai date{std::chrono::seconds{1'795'308'092} + std::chrono::nanoseconds{5} + tai_offset()};
  CHECK(unix_seconds(date) == "1795308092.000000005");
  CHECK(parse_utc(unix_seconds(date)) == date);
}
