#pragma once

// A measure is a list of cases; a case is a floor and what is held against it, sampled by turns.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/scratch.hpp"
#include "bench/statistics.hpp"

namespace shmim::tools::bench {

/// What the user asked for.
struct Settings {
  std::vector<std::uint64_t> sizes;  ///< of a frame, in bytes; empty: each measure's own
  std::optional<std::size_t> count;  ///< samples in a run; not set: each measure's own
  std::size_t runs = 5;
  std::vector<unsigned> cpus;  ///< of the writer and the reader; empty: where the kernel likes
  std::optional<int> rt_priority;
};

/// Something that takes a while. A sample is in nanoseconds, or in bytes where the case says so.
struct Contender {
  std::string name;
  std::function<double()> sample;
};

/// What all samples of a case are.
enum class Unit { nanoseconds, bytes };

struct Case {
  std::string measure;
  std::string name;
  /// The floor comes first, but where `without_floor` says why there is none.
  std::vector<Contender> contenders;
  std::size_t count = 100;  ///< samples in a run where the user says nothing
  Unit unit = Unit::nanoseconds;
  std::string without_floor = {};
};

/// A contender, measured.
struct Row {
  std::string measure;
  std::string case_name;
  std::string contender;
  Unit unit = Unit::nanoseconds;
  bool is_floor = false;
  Summary summary;
  std::optional<double> ratio;  ///< of the medians to the floor's
  std::optional<double> ratio_p99;
};

/// Samples the contenders by turns, one sample each, so that whatever else the machine does falls
/// on all of them; in so many runs as the settings say. Throws Interrupted.
std::vector<Row> interleave(const Case& contest, const Settings& settings);

/// Where the rows go as they are measured, and what there is to say.
struct Audience {
  std::function<void(const Row&)> row;
  /// A line for the user: a floor that is not available, say.
  std::function<void(const std::string& measure, const std::string& message)> note;
};

/// What a measure works with.
struct Bench {
  const Settings& settings;
  const Scratch& scratch;
  const Audience& audience;
  /// Measures a case and shows its rows.
  void run(const Case& contest) const;
  [[nodiscard]] std::vector<std::uint64_t> sizes_or(std::vector<std::uint64_t> usual) const;
};

void measure_latency(const Bench& bench);
void measure_publish(const Bench& bench);
void measure_snapshot(const Bench& bench);
void measure_startup(const Bench& bench);
void measure_cat(const Bench& bench);
void measure_frames(const Bench& bench);
void measure_run(const Bench& bench);
void measure_create(const Bench& bench);
void measure_list(const Bench& bench);
void measure_fits(const Bench& bench);
void measure_fanout(const Bench& bench);
void measure_memory(const Bench& bench);
void measure_growth(const Bench& bench);
void measure_python(const Bench& bench);
void measure_record(const Bench& bench);
void measure_play(const Bench& bench);
void measure_keep(const Bench& bench);
void measure_network(const Bench& bench);

using Clock = std::chrono::steady_clock;

/// Nanoseconds that `job` takes, done `times` times, for each time: for what is shorter than the
/// reading of a clock.
template <class Job>
double timed(const Job& job, unsigned times = 1) {
  const auto begin = Clock::now();
  for (unsigned i = 0; i < times; ++i) {
    job();
  }
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / times;
}

/// `128 KiB`; `3 B`
std::string bytes_text(std::uint64_t bytes);

}  // namespace shmim::tools::bench
