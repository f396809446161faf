#include <shmim/fmt.hpp>

#include "support/unit.hpp"

using namespace shmim;

TEST_CASE("what the library has can be printed with fmt, and aligned like a string") {
  const Tai date{std::chrono::seconds{1'795'308'092} + tai_offset()};
  CHECK(fmt::format("{}", date) == "2026-11-22T00:41:32.000000000Z");
  CHECK(fmt::format("{:>8}", never) == "   never");
  CHECK(fmt::format("{:<8}|{}", DataType::uint16, Shape{4, 3}) == "uint16  |4x3");
  CHECK(fmt::format("{}", Keyword{"A", 2.5, ""}) == "2.5");
}
