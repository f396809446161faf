#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("a pattern is a reference whose name may hold wildcards") {
  const Reference plain = parse_pattern("@S:tui16>cam[0,*]");
  CHECK(plain.name == "cam[0,*]");  // its brackets are a set of letters here
  const Reference typed = parse_pattern("@S:tui16>cam*");
  CHECK(typed.name == "cam*");
  CHECK(typed.type == DataType::uint16);
  CHECK(typed.location == Location::shared);
  CHECK(typed.text == "@S:tui16>cam*");
  CHECK(parse_pattern("cam").name == "cam");
  CHECK(says(error_of([] { return parse_pattern("a/*"); }), "a stream has no / in its name"));
  CHECK(says(error_of([] { return parse_pattern("@X:*"); }), "there is no modifier X"));
}

TEST_CASE("a pattern means streams by name, and by type if it has one") {
  const Reference all = parse_pattern("cam*");
  CHECK(matches(all, "cam1", DataType::uint8));
  CHECK(matches(all, "cam1", std::nullopt));
  CHECK_FALSE(matches(all, "wfs", DataType::uint8));
  CHECK_FALSE(matches(parse_pattern("*"), ".hidden", DataType::uint8));
  const Reference typed = parse_pattern("tui16>*");
  CHECK(matches(typed, "cam1", DataType::uint16));
  CHECK_FALSE(matches(typed, "cam1", DataType::uint8));
  CHECK_FALSE(matches(typed, "broken", std::nullopt));
}
