#include "trace/tally.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/words.hpp"

namespace shmim::tools {

std::string spread_in_words(std::vector<double> latencies, Record& record) {
  constexpr std::array percents{0.0, 50.0, 90.0, 99.0, 99.9, 100.0};
  constexpr std::array names{"min", "p50", "p90", "p99", "p99.9", "max"};
  std::sort(latencies.begin(), latencies.end());
  std::string text;
  for (std::size_t i = 0; i < percents.size() && !latencies.empty(); ++i) {
    const std::chrono::nanoseconds latency{
        static_cast<std::int64_t>(percentile(latencies, percents[i]))};
    record[names[i]] = Seconds(latency).count();
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", names[i], in_words(latency));
  }
  return text;
}

void Tally::add(const TakenFrame& frame, std::optional<std::chrono::nanoseconds> latency) {
  if (!latency) {
    ++untriggered_;
    return;
  }
  latencies_.push_back(static_cast<double>(latency->count()));
  ino_t stream = 0;
  const auto chain = chain_of(frame.trace);
  for (std::size_t step = 0; step < chain.size(); ++step) {
    const ino_t trigger = chain[step].trigger_inode;
    if (const auto took = latency_of(chain, step)) {
      steps_[{step, stream, trigger}].push_back(static_cast<double>(took->count()));
    }
    stream = trigger;
  }
  if (worst_ == 0 || (slowest_.size() == worst_ && slowest_.back().latency >= *latency)) {
    return;
  }
  const auto place = std::ranges::upper_bound(slowest_, *latency, std::greater(), &Slow::latency);
  slowest_.insert(place, {frame.info.cnt0, *latency, frame.trace});
  slowest_.resize(std::min(slowest_.size(), worst_));
}

std::string Tally::summary(Record& record) const {
  record["frames"] = frames();
  record["missed"] = missed_;
  const std::string spread = spread_in_words(latencies_, record);
  return fmt::format("{}, {} missed{}{}", counted(frames(), "frame"), missed_,
                     spread.empty() ? "" : ": ", spread);
}

}  // namespace shmim::tools
