#include <doctest/doctest.h>
#include <shmim/received.hpp>

using namespace shmim;

TEST_CASE("keywords tell where a stream was received from") {
  const std::vector<Keyword> keywords{{"EXPTIME", 0.5, ""},
                                      {"RECVFROM", "camhost", "tcp://camhost:5555/cam"},
                                      {"RECVLINK", "up", ""},
                                      {"RECVDELAY", 0.25, ""},
                                      {"RECVCLOCK", -1e-3, ""}};
  const auto received = received_of(keywords);
  REQUIRE(received);
  CHECK(received->host == "camhost");
  CHECK(received->origin == "tcp://camhost:5555/cam");
  CHECK(received->name() == "camhost:cam");
  CHECK(received->is_up);
  CHECK(received->delay == std::chrono::milliseconds{250});
  CHECK(received->clock_ahead == -std::chrono::milliseconds{1});
}

TEST_CASE("a stream that was not received says nothing of it") {
  CHECK_FALSE(received_of({}));
  CHECK_FALSE(received_of(std::vector<Keyword>{{"RECVLINK", "up", ""}}));
  // Somebody else's keyword of that name.
  CHECK_FALSE(received_of(std::vector<Keyword>{{"RECVFROM", std::int64_t{1}, ""}}));
}

TEST_CASE("what keywords say that makes no sense is not known") {
  const auto received = received_of(std::vector<Keyword>{
      {"RECVFROM", "h", ""}, {"RECVDELAY", 1e300, ""}, {"RECVCLOCK", std::int64_t{3}, ""}});
  REQUIRE(received);
  CHECK_FALSE(received->is_up);
  CHECK_FALSE(received->delay);
  CHECK_FALSE(received->clock_ahead);
  CHECK(received->name() == "h:");
}
