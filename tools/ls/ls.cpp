// shmim-ls: what streams there are, and how they are.

#include <algorithm>
#include <set>

#include <unistd.h>

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
    options.positional("GLOB", globs_, "streams, or patterns with * ? [...]; takes @S: @E:");
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
    where_ = context.search_path().shm;
    if (is_rated || needs_measuring(columns_) || needs_measuring(order_)) {
      return measure(context);
    }
    std::vector<Watched> streams;
    for (const std::string& name : names()) {
      streams.push_back({describe(stream_path(where_, name), processes_), {}, {}, 0});
    }
    return list(context, streams, false);
  }

 private:
  [[nodiscard]] std::vector<std::string> globs() const {
    std::vector<std::string> globs;
    for (const Reference& wanted : patterns_) {
      globs.push_back(wanted.name);
    }
    return globs.empty() ? std::vector<std::string>{"*"} : globs;
  }

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const std::string& glob : globs()) {
      for (std::string& name : list_streams(where_, glob)) {
        names.insert(std::move(name));
      }
    }
    return names;
  }

  Exit measure(const Context& context) {
    raise_file_limit();
    Watcher watcher(where_, globs());
    watcher.look();
    const auto interval = over_.value_or(watch_.value_or(std::chrono::seconds{1}));
    auto next = std::chrono::steady_clock::now() + interval;
    Exit status = Exit::done;
    for (std::uint64_t done = 0; done < (watch_ ? count_.value_or(UINT64_MAX) : 1); ++done) {
      sleep_until(next);
      next += watch_.value_or(interval);
      watcher.look();
      if (watch_) {
        write_stdout(context.json()                 ? ""
                     : ::isatty(STDOUT_FILENO) == 1 ? "\x1b[H\x1b[2J"
                     : done > 0                     ? "\n"
                                                    : "");
      }
      status = list(context, watcher.streams(), true);
    }
    return status;
  }

  Exit list(const Context& context, const std::vector<Watched>& streams, bool is_measured) {
    std::vector<StreamRow> rows;
    std::vector<bool> has_match(patterns_.size());
    for (const Watched& watched : streams) {
      bool is_listed = patterns_.empty();
      for (std::size_t i = 0; i < patterns_.size(); ++i) {
        if (matches(patterns_[i], watched.description.name, watched.description.type())) {
          is_listed = has_match[i] = true;
        }
      }
      if (is_listed) {
        rows.push_back({&watched, is_measured, nullptr, &processes_});
      }
    }
    std::vector<Holders> holders;
    look_for_holders(rows, holders);
    sort_rows(rows, *order_.front(), reverse_);
    print(context, rows);
    return watch_ ? Exit::done : report_missing(context, rows, has_match);
  }

  void look_for_holders(std::vector<StreamRow>& rows, std::vector<Holders>& holders) const {
    const auto shows = [](const Columns& columns) {
      return std::any_of(columns.begin(), columns.end(), [](const Column* column) {
        return std::string_view(column->name) == "holders";
      });
    };
    if (!shows(columns_) && !shows(order_)) {
      return;
    }
    std::vector<Identity> files;
    files.reserve(rows.size());
    for (const StreamRow& row : rows) {
      files.push_back(row.description().identity);
    }
    const HolderTable table(files);
    holders.reserve(rows.size());
    for (StreamRow& row : rows) {
      if (row.description().identity != Identity{}) {
        row.holders = &holders.emplace_back(table.holders_of(row.description().identity));
        // We have it open ourselves, for as long as we look.
        std::erase(holders.back().processes, this_process());
      }
    }
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
      context.note(where_.string(), "no streams there");
    }
    Exit status = context.report_left_out(rows, &StreamRow::description);
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (!has_match[i]) {
        status = context.report(Error(Problem::not_found, patterns_[i].text,
                                      fmt::format("no such stream in {}", where_.string())));
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
  std::filesystem::path where_;
  Columns columns_;
  Columns order_;
  ProcessTable processes_;
};

const Registration ls_registration(
    "ls", "list the streams there are, and how they are", {"SE"}, {}, make<Ls>,
    {"shmim-ls 'cam*' --over 2s --sort rate --reverse",
     "shmim-ls --json -o name,state | jq -r 'select(.state == \"unfinished\").name'"});

}  // namespace
}  // namespace shmim::tools
