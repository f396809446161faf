#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <shmim/error.hpp>
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

TEST_CASE("the oldest hop of a frame that was received is told from where") {
  const auto at = [](int milliseconds) { return Tai{std::chrono::milliseconds{milliseconds}}; };
  Hop first;
  first.entry.mode = TriggerMode::cnt0;
  first.entry.triggered = at(1000);
  first.entry.written = at(1002);
  first.stream = "cam";
  const std::vector<Hop> hops{Hop{}, first};
  const auto told = [&hops](const auto& keywords_of) {
    std::vector<Hop> copy = hops;
    tell_origin(copy, keywords_of);
    return copy;
  };
  const auto received = told([](const std::string& stream) {
    CHECK(stream == "cam");
    return std::vector<Keyword>{{"RECVFROM", "camhost", "tcp://camhost:5555/cam"},
                                {"RECVDELAY", 0.25, ""}};
  });
  CHECK(received.back().trigger == "camhost:cam");
  CHECK(received.back().latency == std::chrono::milliseconds{252});
  CHECK(received.front().trigger.empty());
  CHECK(told([](const std::string&) { return std::vector<Keyword>{}; }).back().trigger.empty());
  CHECK(told([](const std::string&) -> std::vector<Keyword> {
          throw Error(Problem::not_found, "cam", "is gone");
        })
            .back()
            .trigger.empty());
  std::vector<Hop> none;
  tell_origin(none, {});
  CHECK(none.empty());
}
