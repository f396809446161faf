#include <cmath>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("a condition on a keyword: numbers as numbers, text as text") {
  using Relation = KeywordCondition::Relation;
  const auto holds = [](const char* text, const Keyword& keyword) {
    return parse_keyword_condition(text).holds(keyword, std::nullopt);
  };
  const Keyword temperature{"TEMP", -45.5, ""};
  CHECK(holds("TEMP=-45.50", temperature));
  CHECK(holds("TEMP < -40", temperature));
  CHECK(holds("TEMP<=-45.5", temperature));
  CHECK(holds("TEMP>-46", temperature));
  CHECK(holds("TEMP>=-46", temperature));
  CHECK(holds("TEMP!=-46", temperature));
  CHECK_FALSE(holds("TEMP!=-45.5", temperature));
  CHECK_FALSE(holds("TEMP>-40", temperature));
  CHECK_FALSE(holds("TEMP<5", {"TEMP", std::nan(""), ""}));
  CHECK(holds("TEMP!=5", {"TEMP", std::nan(""), ""}));
  // Beyond what a double holds.
  CHECK(holds("N>9007199254740992", {"N", std::int64_t{9007199254740993}, ""}));
  CHECK(holds("A>'10'", {"A", "9", ""}));
  CHECK_FALSE(holds("A>10", {"A", "9", ""}));
  CHECK(holds("A<10", {"A", "9", ""}));
  CHECK(holds("A!=10", {"A", "warm", ""}));
  CHECK_FALSE(holds("A>10", {"A", "warm", ""}));
  CHECK_FALSE(holds("A<10", {"A", "warm", ""}));
  CHECK(holds("A<'x=1'/comment", {"A", "warm", ""}));
  CHECK_FALSE(parse_keyword_condition("A!=1").holds(std::nullopt, std::nullopt));

  const KeywordCondition changed = parse_keyword_condition("ESO DET DIT changed");
  CHECK(changed.name == "ESO DET DIT");
  CHECK(changed.relation == Relation::changed);
  const Keyword one{"ESO DET DIT", std::int64_t{1}, ""};
  CHECK_FALSE(changed.holds(std::nullopt, one));
  CHECK_FALSE(changed.holds(Keyword{"ESO DET DIT", std::int64_t{1}, "comment"}, one));
  CHECK(changed.holds(Keyword{"ESO DET DIT", std::int64_t{2}, ""}, one));
  CHECK(changed.holds(one, std::nullopt));
  CHECK(std::get<std::string>(parse_keyword_condition("A=12", 'S').value) == "12");
  CHECK(std::get<std::string>(parse_keyword_condition("A=>b").value) == ">b");
  for (const char* wrong :
       {"", "A", "A==1", "A>>1", "A<=<1", "A!=>1", "A!1", "changed", "=1", " changed", "A>'1"}) {
    CAPTURE(wrong);
    CHECK(error_of([&] { static_cast<void>(parse_keyword_condition(wrong)); }).problem() ==
          Problem::usage);
  }
}
