#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <shmim/shmim.hpp>
#include <sys/types.h>

#include "common/print/json.hpp"

namespace shmim::tools {

/// Min, percentiles and max of latencies in nanoseconds: `min 5ms, p50 ...`; added to `record`.
std::string spread_in_words(std::vector<double> latencies, Record& record);

/// What is remembered of the frames that were followed.
class Tally {
 public:
  /// Keeps the `worst` frames that took longest.
  explicit Tally(std::size_t worst) : worst_(worst) {}

  void add(const TakenFrame& frame, std::optional<std::chrono::nanoseconds> latency);
  void add_missed(std::uint64_t frames) noexcept { missed_ += frames; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return latencies_.size() + untriggered_; }

  /// How many there were, and how long they took. For people, or with `record` of all of it.
  [[nodiscard]] std::string summary(Record& record) const;

  /// A step from one stream to the other, as far as it is from the newest.
  struct Step {
    std::size_t from_newest = 0;
    ino_t stream = 0;  ///< that was written; 0 the one that is followed
    ino_t trigger = 0;
    friend bool operator<(const Step& a, const Step& b) noexcept {
      return std::tie(a.from_newest, a.stream, a.trigger) <
             std::tie(b.from_newest, b.stream, b.trigger);
    }
  };
  /// Latencies of each step, in nanoseconds.
  [[nodiscard]] const std::map<Step, std::vector<double>>& steps() const noexcept { return steps_; }

  struct Slow {
    std::uint64_t cnt0 = 0;
    std::chrono::nanoseconds latency{0};
    std::vector<TraceEntry> trace;
  };
  /// The slowest first.
  [[nodiscard]] const std::vector<Slow>& slowest() const noexcept { return slowest_; }

 private:
  std::size_t worst_;
  std::vector<double> latencies_;
  std::uint64_t missed_ = 0;
  std::uint64_t untriggered_ = 0;
  std::map<Step, std::vector<double>> steps_;
  std::vector<Slow> slowest_;
};

}  // namespace shmim::tools
