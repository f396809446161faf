// What shmim-bench makes of its samples, and how it shows them.

#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "bench/measure.hpp"
#include "bench/report.hpp"
#include "bench/statistics.hpp"
#include "support/unit.hpp"

using namespace shmim::tools::bench;

namespace {

/// `first`, `first` + 1, ... so many of them.
std::vector<double> counted(double first, std::size_t count) {
  std::vector<double> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

}  // namespace

TEST_CASE("a percentile is the nearest rank: a sample, never something between two") {
  CHECK(percentile(counted(1, 100), 50) == 50);
  CHECK(percentile(counted(1, 100), 90) == 90);
  CHECK(percentile(counted(1, 100), 99) == 99);
  CHECK(percentile(counted(1, 100), 99.9) == 100);
  CHECK(percentile(counted(1, 100), 100) == 100);
  CHECK(percentile(counted(1, 1000), 99.9) == 999);
  CHECK(percentile({3, 1, 2}, 50) == 2);
  CHECK(percentile({4, 3, 2, 1}, 50) == 2);
  CHECK(percentile({7}, 50) == 7);
  CHECK(percentile({7}, 99.9) == 7);
  CHECK(percentile({7, 8}, 0) == 7);
  CHECK(std::isnan(percentile(std::vector<double>(), 50)));
}

TEST_CASE("a summary has the percentiles of all runs, and the spread of their medians") {
  const Summary summary = summarise({counted(1, 99), counted(101, 99), counted(51, 99)});
  CHECK(summary.runs == 3);
  CHECK(summary.samples == 297);
  CHECK(summary.p50 == 100);
  CHECK(summary.max == 199);
  CHECK(summary.p90 == 170);
  CHECK(summary.p99 == 197);
  CHECK(summary.p999 == 199);
  CHECK(summary.spread == doctest::Approx(1.0));  // medians 50, 150 and 100
  CHECK(summarise({{5, 5, 5}}).spread == 0);
  CHECK(summarise({{0, 0}, {0, 0}}).spread == 0);
  CHECK(summarise({}).samples == 0);
}

TEST_CASE("a ratio is taken within a run, so that what slows one run down does not change it") {
  const Runs floor{{10, 10, 10}, {100, 100, 100}, {20, 20, 20}};
  const Runs ours{{15, 15, 15}, {150, 150, 150}, {40, 40, 40}};
  CHECK(ratio(ours, floor, 50) == doctest::Approx(1.5));
  CHECK(ratio(floor, floor, 99) == 1);
  CHECK(ratio({{1, 1, 9}}, {{1, 1, 3}}, 50) == 1);
  CHECK(ratio({{1, 1, 9}}, {{1, 1, 3}}, 99) == 3);
}

TEST_CASE("contenders are sampled by turns, and the first of them is the floor") {
  std::string order;
  Case contest;
  contest.count = 3;
  contest.contenders = {{"memcpy", [&] { return order += 'a', 2.0; }},
                        {"publish", [&] { return order += 'b', 3.0; }}};
  Settings settings;
  settings.runs = 2;
  const auto rows = interleave(contest, settings);
  CHECK(order ==
        "ab"
        "ababab"
        "ababab");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].is_floor);
  CHECK(rows[0].contender == "memcpy");
  CHECK(rows[0].ratio == 1);
  CHECK_FALSE(rows[1].is_floor);
  CHECK(rows[1].summary.samples == 6);
  CHECK(rows[1].ratio == 1.5);
  CHECK(rows[1].ratio_p99 == 1.5);

  settings.count = 5;
  contest.without_floor = "there is no cat";
  const auto without = interleave(contest, settings);
  CHECK(without[0].summary.samples == 10);
  CHECK_FALSE(without[0].is_floor);
  CHECK_FALSE(without[0].ratio);
  CHECK_FALSE(without[1].ratio);
}

TEST_CASE("quantities have three digits that count, and the unit that keeps them short") {
  CHECK(quantity(3.456, Unit::nanoseconds) == "3.46 ns");
  CHECK(quantity(110, Unit::nanoseconds) == "110 ns");
  CHECK(quantity(999, Unit::nanoseconds) == "999 ns");
  CHECK(quantity(1000, Unit::nanoseconds) == "1.00 us");
  CHECK(quantity(53'412, Unit::nanoseconds) == "53.4 us");
  CHECK(quantity(1.5e6, Unit::nanoseconds) == "1.50 ms");
  CHECK(quantity(2e9, Unit::nanoseconds) == "2.00 s");
  CHECK(quantity(0, Unit::nanoseconds) == "0.00 ns");
  CHECK(quantity(12.0 * (1 << 20), Unit::bytes) == "12.0 MiB");
  CHECK(quantity(1023, Unit::bytes) == "1023 B");
  CHECK(bytes_text(512 << 10) == "512 KiB");
  CHECK(bytes_text(1000) == "1000 B");
  CHECK(bytes_text(1 << 30) == "1 GiB");
}

TEST_CASE("rows as a table, as JSON and as CSV") {
  Row floor;
  floor.measure = "create";
  floor.case_name = "1 KiB, \"x\"";
  floor.contender = "posix_fallocate";
  floor.summary = summarise({{1000, 1000}, {1000, 1000}});
  floor.is_floor = true;
  floor.ratio = floor.ratio_p99 = 1;
  Row ours = floor;
  ours.contender = "draft";
  ours.is_floor = false;
  ours.ratio = 1.25;
  ours.ratio_p99 = 2;
  Row alone = ours;
  alone.ratio = alone.ratio_p99 = std::nullopt;
  const std::string table = to_table({floor, ours, alone});
  CHECK(table ==
        "MEASURE  CASE        WHAT             RUNS   P50      P90      P99      P99.9    MAX      "
        "SPREAD  P99 RATIO  RATIO\n"
        "create   1 KiB, \"x\"  posix_fallocate  2 x 2  1.00 us  1.00 us  1.00 us  1.00 us  1.00 "
        "us  0 %     floor      floor\n"
        "create   1 KiB, \"x\"  draft            2 x 2  1.00 us  1.00 us  1.00 us  1.00 us  1.00 "
        "us  0 %     2.00       1.25\n"
        "create   1 KiB, \"x\"  draft            2 x 2  1.00 us  1.00 us  1.00 us  1.00 us  1.00 "
        "us  0 %     -          -\n");
  CHECK(csv_header() ==
        "measure,case,what,floor,unit,runs,samples,p50,p90,p99,p99.9,max,spread,p99 ratio,ratio\n");
  CHECK(to_csv_line(ours) ==
        "create,\"1 KiB, "
        "\"\"x\"\"\",draft,false,ns,2,4,1000.0,1000.0,1000.0,1000.0,1000.0,0.0,2.0,1.25\n");
  CHECK(to_csv_line(alone).ends_with(",0.0,,\n"));
  CHECK(to_record(ours)["ratio"] == 1.25);
  CHECK(to_record(ours)["floor"] == false);
  CHECK(to_record(alone)["ratio"].is_null());
  CHECK(to_record(floor)["unit"] == "ns");
}
