// shmim-bench: what these tools and the library take, beside what they could take at best.

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "bench/report.hpp"
#include "common/app/tool.hpp"

namespace shmim::tools::bench {
namespace {

struct Measure {
  const char* name;
  void (*run)(const Bench&);
};
constexpr std::array measures{
    Measure{"latency", measure_latency},   Measure{"publish", measure_publish},
    Measure{"snapshot", measure_snapshot}, Measure{"startup", measure_startup},
    Measure{"cat", measure_cat},           Measure{"create", measure_create},
    Measure{"list", measure_list},         Measure{"fits", measure_fits},
    Measure{"fanout", measure_fanout},     Measure{"memory", measure_memory},
    Measure{"growth", measure_growth},     Measure{"frames", measure_frames},
    Measure{"run", measure_run},           Measure{"python", measure_python},
    Measure{"record", measure_record},     Measure{"keep", measure_keep},
    Measure{"play", measure_play},         Measure{"network", measure_network},
};

class BenchTool final : public Tool {
 public:
  void declare(Options& options) override {
    std::vector<std::string> names{"all"};
    for (const Measure& measure : measures) {
      names.emplace_back(measure.name);
    }
    options
        .positional(
            "MEASURE", wanted_,
            "latency, publish, snapshot, startup, cat, create, list, fits, fanout, memory, "
            "growth, frames, run, python, record, keep, play, network; or all (the default)")
        .one_of(std::move(names));
    options.text("--cpu", "A,B", cpu_list_,
                 "run on processor A, and the process that waits or reads on B");
    options.number("--rt-prio", "N", rt_priority_, "run with real-time priority N (SCHED_FIFO)",
                   {1, 99});
    options.texts("--bytes", "BYTES", sizes_,
                  "bytes of a frame, as 512KiB, for measures with frames; may be repeated");
    options.number("--count", "N", count_, "samples in a run (default: each measure's own)",
                   above_zero);
    options.number("--runs", "N", runs_, "runs (default: 5)", above_zero);
    const Option& csv = options.flag("--csv", csv_, "print comma-separated values");
    options.json("print one JSON object per row").excludes(csv);
  }

  Exit run(const Context& context) override {
    Settings settings;
    for (const std::string& text : sizes_) {
      settings.sizes.push_back(bytes_of("--bytes", text));
    }
    settings.count = count_;
    settings.runs = runs_;
    settings.cpus = parse_cpus();
    settings.rt_priority = rt_priority_;
    settle(settings, 0);
    const Scratch scratch(context.search_path().shm);
    const Audience audience{[&](const Row& row) { show(context, row); },
                            [&](const std::string& measure, const std::string& message) {
                              context.note(measure, message);
                            }};
    if (csv_) {
      write_stdout(csv_header());
    }
    const bool all =
        wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), "all") != wanted_.end();
    for (const Measure& measure : measures) {
      if (all || std::find(wanted_.begin(), wanted_.end(), measure.name) != wanted_.end()) {
        context.detail(measure.name, "measuring");
        measure.run({settings, scratch, audience});
        show_table();
      }
    }
    return Exit::done;
  }

 private:
  /// `0,1`
  [[nodiscard]] std::vector<unsigned> parse_cpus() const {
    std::vector<unsigned> cpus;
    for (std::string_view rest = cpu_list_; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      try {
        cpus.push_back(static_cast<unsigned>(
            parse_whole(std::string(word), {0, std::numeric_limits<unsigned>::max()})));
      } catch (const UsageError& error) {
        throw UsageError(fmt::format("--cpu: {}", error.what()));
      }
    }
    if (!cpus.empty() && cpus.size() != 2) {
      throw UsageError("--cpu takes two processors, as 0,1");
    }
    return cpus;
  }

  void show(const Context& context, const Row& row) {
    if (context.json()) {
      write_stdout(to_json_line(row));
    } else if (csv_) {
      write_stdout(to_csv_line(row));
    } else {
      rows_.push_back(row);
    }
  }

  /// Of one measure at a time: all of them take minutes.
  void show_table() {
    if (!rows_.empty()) {
      write_stdout((std::exchange(shown_, true) ? "\n" : "") + to_table(rows_));
      rows_.clear();
    }
  }

  std::vector<std::string> wanted_;
  std::string cpu_list_;
  std::optional<int> rt_priority_;
  std::vector<std::string> sizes_;
  std::optional<std::size_t> count_;
  std::size_t runs_ = 5;
  bool csv_ = false;
  std::vector<Row> rows_;
  bool shown_ = false;
};

const Registration bench_registration("bench", "measure these tools beside what bounds them", {},
                                      {}, make<BenchTool>,
                                      {"shmim-bench startup latency --cpu 0,1",
                                       "shmim-bench --json >before.json"});

}  // namespace
}  // namespace shmim::tools::bench
