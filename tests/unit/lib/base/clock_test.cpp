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
  CHECK(elapsed(latest, earliest) == std::chrono::nanoseconds{1});  // wraps
}
