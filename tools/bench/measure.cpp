#include "bench/measure.hpp"

#include <array>

#include "common/app/tool.hpp"

namespace shmim::tools::bench {

std::vector<Row> interleave(const Case& contest, const Settings& settings) {
  const std::size_t count = settings.count.value_or(contest.count);
  std::vector<Runs> taken(contest.contenders.size());
  for (const Contender& contender : contest.contenders) {
    contender.sample();  // the first is slower, and is not what anybody asks about
  }
  for (std::size_t run = 0; run < settings.runs; ++run) {
    for (Runs& runs : taken) {
      runs.emplace_back().reserve(count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t c = 0; c < contest.contenders.size(); ++c) {
        throw_if_interrupted();
        taken[c].back().push_back(contest.contenders[c].sample());
      }
    }
  }
  std::vector<Row> rows;
  for (std::size_t c = 0; c < contest.contenders.size(); ++c) {
    Row row;
    row.measure = contest.measure;
    row.case_name = contest.name;
    row.contender = contest.contenders[c].name;
    row.unit = contest.unit;
    row.is_floor = c == 0 && contest.without_floor.empty();
    row.summary = summarise(taken[c]);
    if (contest.without_floor.empty()) {
      row.ratio = ratio(taken[c], taken.front(), 50);
      row.ratio_p99 = ratio(taken[c], taken.front(), 99);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void Bench::run(const Case& contest) const {
  if (!contest.without_floor.empty()) {
    audience.note(contest.measure, contest.without_floor);
  }
  for (const Row& row : interleave(contest, settings)) {
    audience.row(row);
  }
}

std::vector<std::uint64_t> Bench::sizes_or(std::vector<std::uint64_t> usual) const {
  if (settings.sizes.empty()) {
    return usual;
  }
  return settings.sizes;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  while (unit + 1 < units.size() && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, units[unit]);
}

}  // namespace shmim::tools::bench
