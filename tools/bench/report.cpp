#include "bench/report.hpp"

#include <array>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/csv.hpp"

namespace shmim::tools::bench {
namespace {

/// Three digits that count: 1.25, 12.5, 125.
std::string three_digits(double value) {
  return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

}  // namespace

std::string quantity(double value, Unit unit) {
  struct Scale {
    double one;
    const char* name;
  };
  constexpr std::array times{Scale{1e9, "s"}, Scale{1e6, "ms"}, Scale{1e3, "us"}, Scale{1, "ns"}};
  constexpr std::array amounts{Scale{0x1p30, "GiB"}, Scale{0x1p20, "MiB"}, Scale{0x1p10, "KiB"},
                               Scale{1, "B"}};
  for (const Scale& scale : unit == Unit::nanoseconds ? times : amounts) {
    if (value >= scale.one || scale.one == 1) {
      return fmt::format("{} {}", three_digits(value / scale.one), scale.name);
    }
  }
  return {};
}

std::string to_table(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> cells{{"MEASURE", "CASE", "WHAT", "RUNS", "P50", "P90",
                                               "P99", "P99.9", "MAX", "SPREAD", "P99 RATIO",
                                               "RATIO"}};
  const auto ratio_text = [](const Row& row, const std::optional<double>& ratio) {
    return row.is_floor ? std::string("floor") : ratio ? fmt::format("{:.2f}", *ratio) : "-";
  };
  for (const Row& row : rows) {
    const Summary& summary = row.summary;
    cells.push_back({row.measure, row.case_name, row.contender,
                     fmt::format("{} x {}", summary.runs, summary.samples / summary.runs),
                     quantity(summary.p50, row.unit), quantity(summary.p90, row.unit),
                     quantity(summary.p99, row.unit), quantity(summary.p999, row.unit),
                     quantity(summary.max, row.unit), fmt::format("{:.0f} %", summary.spread * 100),
                     ratio_text(row, row.ratio_p99), ratio_text(row, row.ratio)});
  }
  return tools::to_table(cells);
}

Record to_record(const Row& row) {
  const Summary& summary = row.summary;
  Record record{{"measure", row.measure},
                {"case", row.case_name},
                {"what", row.contender},
                {"floor", row.is_floor},
                {"unit", row.unit == Unit::nanoseconds ? "ns" : "bytes"},
                {"runs", summary.runs},
                {"samples", summary.samples},
                {"p50", summary.p50},
                {"p90", summary.p90},
                {"p99", summary.p99},
                {"p99.9", summary.p999},
                {"max", summary.max},
                {"spread", summary.spread},
                {"p99 ratio", nullptr},
                {"ratio", nullptr}};
  if (row.ratio) {
    record["p99 ratio"] = *row.ratio_p99;
    record["ratio"] = *row.ratio;
  }
  return record;
}

std::string to_json_line(const Row& row) { return tools::to_json_line(to_record(row)); }

std::string csv_header() { return csv_names(to_record({})); }

std::string to_csv_line(const Row& row) { return csv_values(to_record(row)); }

}  // namespace shmim::tools::bench
