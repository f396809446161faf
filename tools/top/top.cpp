// shmim-top: the streams as they run, on a screen, as tables, or as metrics.

#include <algorithm>

#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "common/io/replace_file.hpp"
#include "top/keys.hpp"
#include "top/metrics.hpp"
#include "top/screen.hpp"

namespace shmim::tools {
namespace {

using std::chrono::steady_clock;

constexpr const char* table_list =
    "name,rate,throughput,age,jitter,missed,readers,saturated,writer";
constexpr const char* json_list =
    "name,state,cnt0,rate,throughput,age,jitter,missed,readers,saturated,writer";

class Top final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("GLOB", globs_,
                       "streams, or patterns with * ? [...]; takes @S: @E: and an address");
    const Option& batch = options.flag("-b,--batch", batch_, "print tables instead of a screen");
    options.number("-n", "N", count_, "with --batch, end after N tables", above_zero).needs(batch);
    options.duration("-i,--interval", interval_,
                     "time between two looks (default: 500ms, and 1s with --batch)");
    options.text("--sort", "COLUMN", sort_, "sort by this column at first");
    const Option& openmetrics =
        options
            .text_or_none(
                "--openmetrics", "FILE", openmetrics_,
                "print one scrape in the OpenMetrics format, or put it in the place of FILE")
            .excludes(batch);
    options
        .text_or_none("--prometheus", "FILE", prometheus_,
                      "the same in the older format of Prometheus")
        .excludes(openmetrics)
        .excludes(batch);
    options.json("with --batch, print one JSON object per stream").needs(batch);
  }

  [[nodiscard]] std::vector<Explained> columns() const override {
    std::vector<Explained> explained;
    for (const Column* column : parse_columns("columns", table_list)) {
      explained.push_back({column->name, column->meaning});
    }
    return explained;
  }

  [[nodiscard]] std::vector<Explained> keys() const override {
    std::vector<Explained> explained;
    for (const KeyLine& keys : key_lines()) {
      explained.push_back({keys.names, keys.meaning});
    }
    return explained;
  }

  Exit run(const Context& context) override {
    if (interval_ && *interval_ < std::chrono::milliseconds{1}) {
      throw UsageError("--interval: at least 1ms");
    }
    const Columns order = parse_columns("--sort", sort_.empty() ? "name" : sort_);
    for (const std::string& text : globs_) {
      patterns_.push_back(context.pattern(text));
    }
    raise_file_limit();
    if (!batch_ && !patterns_.empty() && patterns_.front().address) {
      context.afar(*patterns_.front().address, true);
    }
    Model model(scene_of(context, patterns_, {"*"}), patterns_);
    model.sort_by(order.front(), order.front()->is_right);
    model.look();
    require_existing(model);
    if (openmetrics_ || prometheus_) {
      scrape(model);
    } else if (batch_) {
      print_tables(context, model);
    } else {
      show(model);
      return Exit::done;
    }
    return context.report_left_out(model.rows(), &StreamRow::description);
  }

 private:
  void scrape(Model& model) const {
    sleep_until(steady_clock::now() + interval_.value_or(std::chrono::seconds{1}));
    model.look();
    const std::string text = to_metrics(
        model.rows(), openmetrics_ ? MetricsFormat::openmetrics : MetricsFormat::prometheus);
    const std::string& file = openmetrics_ ? *openmetrics_ : *prometheus_;
    if (file.empty()) {
      write_stdout(text);
    } else {
      replace_file(file, text);
    }
  }

  /// Others may come while we watch; what @E: names must be there.
  void require_existing(const Model& model) const {
    const std::vector<const Watched*> streams = model.streams();
    for (const Reference& wanted : patterns_) {
      const bool is_there =
          std::any_of(streams.begin(), streams.end(), [&](const Watched* watched) {
            return matches(wanted, watched->description.name, watched->description.type());
          });
      if (wanted.existence == Existence::must_exist && !is_there) {
        throw Error(Problem::not_found, wanted.name,
                    fmt::format("no such stream {}", model.scene().where()));
      }
    }
  }

  void print_tables(const Context& context, Model& model) const {
    const auto interval = interval_.value_or(std::chrono::seconds{1});
    const Columns columns = parse_columns("columns", context.json() ? json_list : table_list);
    auto next = steady_clock::now();
    for (std::uint64_t done = 0; !count_ || done < *count_; ++done) {
      next += interval;
      sleep_until(next);
      model.look();
      if (const std::string trouble = model.scene().trouble(); !trouble.empty()) {
        context.note(trouble, "what is shown is as it was");
      }
      const std::vector<StreamRow> rows = model.rows();
      const std::string time = to_utc(TaiClock::now());
      if (!context.json()) {
        write_stdout(fmt::format("{}{}\n{}", done == 0 ? "" : "\n", time,
                                 to_text(columns, rows, Table::told, true)));
        continue;
      }
      std::string lines;
      for (const StreamRow& row : rows) {
        lines += to_json_line(columns, row, time);
      }
      write_stdout(lines);
    }
  }

  void show(Model& model) const {
    const auto interval = interval_.value_or(std::chrono::milliseconds{500});
    Terminal terminal;
    Screen screen(model, terminal);
    auto next = steady_clock::now() + interval;
    while (true) {
      screen.draw();
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
      const auto key = terminal.read_key(left);
      throw_if_interrupted();
      if (key && !screen.handle(*key)) {
        return;
      }
      if (const auto moment = steady_clock::now(); moment >= next) {
        next = std::max(next + interval, moment);
        model.look();
      }
    }
  }

  std::vector<std::string> globs_;
  std::vector<Reference> patterns_;
  bool batch_ = false;
  std::optional<std::uint64_t> count_;
  std::optional<std::chrono::nanoseconds> interval_;
  std::string sort_;
  // The file to write; empty for standard output.
  std::optional<std::string> openmetrics_;
  std::optional<std::string> prometheus_;
};

const Registration top_registration("top", "watch the streams as they run", {"SE", false, true}, {},
                                    make<Top>,
                                    {"shmim-top 'cam*' --sort rate",
                                     "shmim-top --prometheus=/var/lib/node_exporter/shmim.prom"});

}  // namespace
}  // namespace shmim::tools
