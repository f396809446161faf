// shmim-ls: what streams there are, and how they are.

#include <algorithm>

#include <unistd.h>

#include "common/app/scene.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "common/print/columns.hpp"

namespace shmim::tools {
namespace {

constexpr const char* short_list = "name,type,size,cnt0,age,bytes,writer,readers";
constexpr const char* rated_list = "name,type,size,cnt0,rate,age,bytes,writer,readers";
constexpr const char* long_list =
    "name,type,size,cnt0,age,bytes,array,circular-buffer,keywords-used,semaphores,saturated,"
    "readers,holders,writer,creator,owner,written";
constexpr const char* rated_long_list =
    "name,type,size,cnt0,rate,throughput,age,bytes,array,circular-buffer,keywords-used,semaphores,"
    "saturated,"
    "readers,holders,writer,creator,owner,written";

class Ls final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("GLOB", globs_,
                       "streams, or patterns with * ? [...]; takes @S: @E: and an address");
    options.flag("-l,--long", long_, "more columns");
    options.text("-o,--columns", "LIST", list_, "these columns, as in name,cnt0,rate");
    options.duration("--over", over_,
                     "measure rates over this time (default where a column needs it: 1s)");
    options.text("--sort", "COLUMN", sort_, "sort by this column");
    options.flag("-r,--reverse", reverse_, "sort in reverse order");
    options.flag("--noheadings", no_headings_, "leave out the line of headings");
    const Option& watch =
        options.duration_or("--watch", watch_, std::chrono::seconds{1}, globs_,
                            "list again and again, at this interval (default: 1s), with rates");
    options.number("-n", "N", count_, "with --watch, end after N lists", above_zero).needs(watch);
    options.json("print one JSON object per stream");
  }

  [[nodiscard]] std::vector<Explained> columns() const override {
    std::vector<Explained> explained;
    for (const Column& column : stream_columns()) {
      explained.push_back({column.name, column.meaning});
    }
    return explained;
  }

  Exit run(const Context& context) override {
    if (watch_ && *watch_ < std::chrono::milliseconds{1}) {
      throw UsageError("--watch: at least 1ms");
    }
    const bool is_rated = over_ || watch_;
    columns_ = parse_columns("--columns", !list_.empty()      ? list_
                                          : long_ && is_rated ? rated_long_list
                                          : long_             ? long_list
                                          : is_rated          ? rated_list
                                                              : short_list);
    order_ = parse_columns("--sort", sort_.empty() ? "name" : sort_);
    for (const std::string& text : globs_) {
      patterns_.push_back(context.pattern(text));
    }
    scene_ = scene_of(context, patterns_, globs());
    if (is_rated || needs_measuring(columns_) || needs_measuring(order_)) {
      return measure(context);
    }
    scene_->look(shows_holders() ? Scene::Look::holders : Scene::Look::streams);
    return list(context, false);
  }

 private:
  [[nodiscard]] std::vector<std::string> globs() const {
    std::vector<std::string> globs;
    for (const Reference& wanted : patterns_) {
      globs.push_back(wanted.name);
    }
    return globs.empty() ? std::vector<std::string>{"*"} : globs;
  }

  Exit measure(const Context& context) {
    raise_file_limit();
    scene_->look(Scene::Look::measured);
    const auto interval = over_.value_or(watch_.value_or(std::chrono::seconds{1}));
    auto next = std::chrono::steady_clock::now() + interval;
    Exit status = Exit::done;
    for (std::uint64_t done = 0; done < (watch_ ? count_.value_or(UINT64_MAX) : 1); ++done) {
      sleep_until(next);
      next += watch_.value_or(interval);
      scene_->look(Scene::Look::measured);
      tell_trouble(context);
      if (watch_) {
        write_stdout(context.json()                 ? ""
                     : ::isatty(STDOUT_FILENO) == 1 ? "\x1b[H\x1b[2J"
                     : done > 0                     ? "\n"
                                                    : "");
      }
      status = list(context, true);
    }
    return status;
  }

  /// Once, as long as it would say the same.
  void tell_trouble(const Context& context) {
    const std::string trouble = scene_->trouble();
    if (trouble != told_ && !trouble.empty()) {
      context.note(trouble, "what is shown is as it was");
    }
    told_ = trouble;
  }

  Exit list(const Context& context, bool is_measured) {
    std::vector<StreamRow> rows;
    std::vector<bool> has_match(patterns_.size());
    for (const Watched& watched : scene_->streams()) {
      bool is_listed = patterns_.empty();
      for (std::size_t i = 0; i < patterns_.size(); ++i) {
        if (matches(patterns_[i], watched.description.name, watched.description.type())) {
          is_listed = has_match[i] = true;
        }
      }
      if (is_listed) {
        rows.push_back({&watched, is_measured, nullptr, &scene_->processes()});
      }
    }
    const std::vector<Holders> holders =
        shows_holders() && !rows.empty() ? scene_->holders() : std::vector<Holders>();
    for (StreamRow& row : rows) {
      if (!holders.empty() && row.description().identity != Identity{}) {
        row.holders = &holders.at(static_cast<std::size_t>(row.watched - scene_->streams().data()));
      }
    }
    sort_rows(rows, *order_.front(), reverse_);
    print(context, rows);
    return watch_ ? Exit::done : report_missing(context, rows, has_match);
  }

  [[nodiscard]] bool shows_holders() const {
    const auto shows = [](const Columns& columns) {
      return std::any_of(columns.begin(), columns.end(), [](const Column* column) {
        return std::string_view(column->name) == "holders";
      });
    };
    return shows(columns_) || shows(order_);
  }

  void print(const Context& context, const std::vector<StreamRow>& rows) const {
    if (!context.json()) {
      // Nothing but headings is not a list.
      const bool headings = !no_headings_ && (watch_ || !rows.empty());
      write_stdout(to_text(columns_, rows, list_.empty() ? Table::told : Table::plain, headings));
      return;
    }
    std::string text;
    for (const StreamRow& row : rows) {
      text += to_json_line(columns_, row);
    }
    write_stdout(text);
  }

  [[nodiscard]] Exit report_missing(const Context& context, const std::vector<StreamRow>& rows,
                                    const std::vector<bool>& has_match) const {
    if (rows.empty() && patterns_.empty()) {
      context.note(scene_->name(), "no streams there");
    }
    Exit status = context.report_left_out(rows, &StreamRow::description);
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (!has_match[i]) {
        status = context.report(Error(Problem::not_found, patterns_[i].text,
                                      fmt::format("no such stream {}", scene_->where())));
      }
    }
    return status;
  }

  std::vector<std::string> globs_;
  bool long_ = false;
  std::string list_;
  std::optional<std::chrono::nanoseconds> over_;
  std::string sort_;
  bool reverse_ = false;
  bool no_headings_ = false;
  std::optional<std::chrono::nanoseconds> watch_;
  std::optional<std::uint64_t> count_;

  std::vector<Reference> patterns_;
  std::unique_ptr<Scene> scene_;
  std::string told_;  ///< of its trouble
  Columns columns_;
  Columns order_;
};

const Registration ls_registration(
    "ls", "list the streams there are, and how they are", {"SE", false, true}, {}, make<Ls>,
    {"shmim-ls 'cam*' --over 2s --sort rate --reverse",
     "shmim-ls --json -o name,state | jq -r 'select(.state == \"unfinished\").name'"});

}  // namespace
}  // namespace shmim::tools
