#include "info/statistics_lines.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/io/interrupt.hpp"
#include "common/io/stdout.hpp"
#include "common/print/csv.hpp"
#include "common/print/facts.hpp"
#include "common/print/frame_line.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

using std::chrono::steady_clock;

/// A number of a frame, by the name that its column has.
struct StatisticsColumn {
  const char* name;
  double Statistics::*number;
};
constexpr std::array statistics_columns{
    StatisticsColumn{"mean", &Statistics::mean}, StatisticsColumn{"std", &Statistics::stddev},
    StatisticsColumn{"min", &Statistics::min},   StatisticsColumn{"p1", &Statistics::p1},
    StatisticsColumn{"p50", &Statistics::p50},   StatisticsColumn{"p99", &Statistics::p99},
    StatisticsColumn{"max", &Statistics::max}};

/// For people: columns as wide as what mostly stands in them.
std::string aligned(const std::vector<std::string>& cells) {
  constexpr std::size_t wide_date = 30;
  constexpr std::size_t wide_number = 11;
  std::string line = fmt::format("{:<{}}", cells.front(), wide_date);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    line += fmt::format(" {:>{}}", cells[i], wide_number);
  }
  return line + "\n";
}

std::string names(bool csv) {
  std::vector<std::string> cells{"writetime", "cnt0"};
  for (const StatisticsColumn& column : statistics_columns) {
    cells.emplace_back(column.name);
  }
  cells.emplace_back("saturated");
  if (csv) {
    return csv_line(cells);
  }
  for (std::string& cell : cells) {
    std::ranges::transform(cell, cell.begin(), [](char letter) {
      return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
  }
  return aligned(cells);
}

std::string values(const Stream& stream, const TakenFrame& frame, const Statistics& statistics,
                   bool csv) {
  const Tai written = frame.info.writetime;
  std::vector<std::string> cells{written != never ? to_utc(written, clock_of(stream))
                                 : csv            ? ""
                                                  : "-",
                                 std::to_string(frame.info.cnt0)};
  for (const StatisticsColumn& column : statistics_columns) {
    const double number = statistics.*column.number;
    cells.push_back(csv ? fmt::format("{}", number) : fmt::format("{:.6g}", number));
  }
  cells.push_back(std::to_string(statistics.saturated));
  return csv ? csv_line(cells) : aligned(cells);
}

/// Sleeps until then, or until the time of all is over. Throws Interrupted, BrokenPipe.
void rest_until(steady_clock::time_point next, const Patience& patience) {
  constexpr std::chrono::milliseconds between_looks{250};
  next = std::min(next, patience.end_of_all().value_or(next));
  for (auto moment = steady_clock::now(); moment < next; moment = steady_clock::now()) {
    throw_if_writing_is_over();
    sleep_until(std::min<steady_clock::time_point>(next, moment + between_looks));
  }
}

}  // namespace

void print_statistics_lines(const Context& context, const Reference& wanted,
                            const StatisticsLines& lines, Patience& patience) {
  // Read-only: counts are watched, and no semaphore is claimed.
  MirrorWish wish;
  wish.order = lines.interval ? FrameOrder::latest : FrameOrder::every;
  wish.pixels = true;
  wish.whole =
      wanted.address && !follows_planes(wanted.slice, context.describe_afar(wanted).format);
  const Stream stream = context.open(wanted, wanted.address ? Access::best : Access::read, wish);
  const bool is_of_plane = follows_planes(wanted.slice, stream.format());
  const Selection selection = selection_of(wanted, stream.format(), is_of_plane);
  const std::string slice = wanted.slice.empty() ? "" : to_string(wanted.slice);
  FollowOptions options;
  options.whole_array = !is_of_plane;
  options.cancelled = is_writing_over;
  Follower follower(stream, std::move(options));
  if (!context.json()) {
    write_stdout(names(lines.csv));
  }
  context.readiness().say();
  patience.begin();
  std::vector<std::byte> elements(selection.bytes());
  const CopyFrame copy = [&](std::span<const std::byte> pixels) {
    selection.take(pixels, elements);
  };
  std::uint64_t missed = 0;
  const auto note_missed = [&] {
    if (missed > 0 && !lines.interval) {
      context.note(wanted.name, fmt::format("missed {}", counted(missed, "frame")));
    }
  };
  const auto interval = lines.interval.value_or(std::chrono::nanoseconds{0});
  auto next = steady_clock::now();
  for (std::uint64_t done = 0; !lines.count || done < *lines.count; ++done) {
    rest_until(next, patience);
    TakenFrame frame;
    const Arrival arrival = patience.wait([&](const Deadline& deadline) {
      return follower.next(lines.interval ? FrameOrder::latest : FrameOrder::every, deadline, copy,
                           frame);
    });
    missed += frame.missed;
    if (arrival != Arrival::arrived) {
      note_missed();
      return patience.end(context, arrival, follower, Patience::lacking(done, lines.count));
    }
    next = std::max(next + interval, steady_clock::now());  // what is late is not made up for
    const Statistics statistics = statistics_of(elements, selection.type());
    if (context.json()) {
      Record record = frame_record(follower.stream(), frame);
      record["statistics"] = to_json(statistics, slice);
      write_stdout(to_json_line(record));
    } else {
      write_stdout(values(follower.stream(), frame, statistics, lines.csv));
    }
  }
  note_missed();
}

}  // namespace shmim::tools
