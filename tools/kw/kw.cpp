// shmim-kw: lists, reads, writes and follows the keywords of a stream.

#include <algorithm>
#include <set>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <shmim/fits.hpp>

#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/print/csv.hpp"
#include "common/print/json.hpp"
#include "common/print/words.hpp"
#include "kw/keyword_watch.hpp"

namespace shmim::tools {
namespace {

class Kw final : public Tool {
 public:
  void declare(Options& options) override {
    options
        .positional(
            "REF", ref_,
            "stream whose keywords they are, or a pattern with * ? [...]; takes @S: @E: and "
            "an address")
        .required();
    options.positional("NAME[=VALUE[/comment]]", words_,
                       "print the value of NAME, or set it (default: list the keywords)");
    const Option& erase = options.flag("--delete", delete_, "delete the keywords named");
    options
        .text("--as", "FORM", form_,
              "form of the values: integer, real or string (default: as they look)")
        .one_of({"integer", "real", "string"})
        .excludes(erase);
    options.text("--from", "FILE", from_, "take keywords from a FITS file").excludes(erase);
    const Option& wait =
        options
            .text("--wait", "CONDITION", wait_,
                  "last of all, wait until a keyword is as in 'TEMP>-40', with = != < <= > >=, or "
                  "'TEMP changed'")
            .excludes(erase);
    options.flag("-f,--follow", follow_, "every new value: a line when one of the keywords changes")
        .excludes(erase)
        .excludes(wait);
    options.number("-n", "N", count_, "end after N lines; implies --follow", above_zero)
        .excludes(erase)
        .excludes(wait);
    patience_.declare(options, nullptr,
                      "give up when it takes longer to the value, or the next change");
    const Option& csv = options.flag(
        "--csv", csv_, "with --follow, print comma-separated values, below a line of names");
    options.ready_fd();
    options.flag("-a,--all", all_, "also list technical keywords, whose names begin with _");
    options.json("print one JSON object per keyword, or per change").excludes(csv);
  }

  Exit run(const Context& context) override {
    const Reference wanted = context.pattern(ref_);
    follow_ = follow_ || count_ || (patience_.has_end() && wait_.empty());
    check_usage();
    if (wanted.address && writes()) {
      throw UsageError(fmt::format(
          "{}: a stream of another host can only be looked at: no keyword of it can be set", ref_));
    }
    if (!is_pattern(wanted.name)) {
      return context.about(
          wanted, [&] { return follow_ ? follow(context, wanted) : work(context, wanted); });
    }
    if (!wait_.empty() || follow_) {
      throw UsageError(
          fmt::format("{} takes one stream, and no pattern", follow_ ? "--follow" : "--wait"));
    }
    const Exit status = work_on_all(context, wanted);
    if (rows_.size() > 1) {
      write_stdout(to_table(rows_));
    }
    return status;
  }

 private:
  [[nodiscard]] bool writes() const {
    return delete_ || !from_.empty() || std::ranges::any_of(words_, [](const std::string& word) {
             return word.find('=') != std::string::npos;
           });
  }

  /// Throws UsageError.
  void check_usage() const {
    if (patience_.timeout() && !follow_ && wait_.empty()) {
      throw UsageError("--timeout requires --wait or --follow");
    }
    if (csv_ && !follow_) {
      throw UsageError("--csv requires --follow");
    }
    if (!follow_) {
      return;
    }
    if (!from_.empty()) {
      throw UsageError("--from and --follow exclude one another");
    }
    for (const std::string& word : words_) {
      if (word.find('=') != word.npos) {
        throw UsageError(fmt::format("--follow takes names, and '{}' is not one", word));
      }
    }
  }

  /// Streams that lack a keyword which is named are passed over, unless all do.
  Exit work_on_all(const Context& context, const Reference& pattern) {
    const std::vector<Reference> streams = context.streams_of(pattern);
    if (streams.empty()) {
      return context.report(Error(Problem::not_found, pattern.text,
                                  fmt::format("no such stream {}", context.place_of(pattern))));
    }
    is_one_of_many_ = true;
    const Exit status = context.for_each<Reference>(
        streams, [&](const Reference& wanted) { static_cast<void>(work(context, wanted)); });
    for (const std::string& word : words_) {
      if (word.find('=') == word.npos && !found_.contains(word)) {
        return context.report(
            Error(Problem::failed, pattern.text, fmt::format("none has a keyword '{}'", word)));
      }
    }
    return status;
  }

  Exit work(const Context& context, const Reference& wanted) {
    const auto settings = parse_words();
    const auto awaited =
        wait_.empty() ? std::nullopt : std::optional(parse_keyword_condition(wait_, type()));
    if (wanted.address && !awaited) {
      return look_afar(context, wanted);
    }
    const Stream stream =
        context.open(wanted, writes() || awaited ? Access::best : Access::read, wish());
    set(context, stream, settings);
    Exit worst = Exit::done;
    for (const std::string& word : words_) {
      const Exit status = context.about(wanted, [&] {
        if (delete_) {
          erase(stream, word);
        } else if (word.find('=') == std::string::npos) {
          print_value(context, stream.name(), word, stream.keywords().find(word));
        }
        return Exit::done;
      });
      worst = worst == Exit::done ? status : worst;
    }
    if (awaited) {
      await(context, stream, *awaited);
    } else if (words_.empty() && from_.empty()) {
      list(context, stream.name(), stream.keywords().all());
    }
    return worst;
  }

  /// Of a stream of another host, without a mirror: what its description has.
  Exit look_afar(const Context& context, const Reference& wanted) {
    const std::vector<Keyword> keywords = context.describe_afar(wanted).keywords;
    if (words_.empty()) {
      list(context, wanted.name, keywords);
    }
    return context.for_each<std::string>(words_, [&](const std::string& word) {
      const auto found = std::ranges::find(keywords, word, &Keyword::name);
      print_value(context, wanted.name, word,
                  found == keywords.end() ? std::nullopt : std::optional(*found));
    });
  }

  /// Of a mirror: keywords change without a frame.
  [[nodiscard]] static MirrorWish wish() {
    MirrorWish keywords;
    keywords.keywords = true;
    return keywords;
  }

  /// The letter that a stream has for the type.
  [[nodiscard]] std::optional<char> type() const {
    return form_.empty()        ? std::nullopt
           : form_ == "integer" ? std::optional('L')
           : form_ == "real"    ? std::optional('D')
                                : std::optional('S');
  }

  /// The assignments among the words, so that a wrong one is refused before any is made.
  [[nodiscard]] std::vector<Keyword> parse_words() const {
    std::vector<Keyword> settings;
    for (const std::string& word : words_) {
      if (word.find('=') != std::string::npos) {
        if (delete_) {
          throw UsageError(fmt::format("--delete takes names, and '{}' is not one", word));
        }
        settings.push_back(parse_keyword(word, type()));
      }
    }
    if (delete_ && words_.empty()) {
      throw UsageError("--delete takes the names of keywords");
    }
    return settings;
  }

  /// All of them, those of the file first, or none: nor any where a name is to be printed that
  /// would still be missing.
  void set(const Context& context, const Stream& stream,
           const std::vector<Keyword>& settings) const {
    std::vector<Keyword> keywords = from_.empty() ? settings : load(context, stream);
    if (!from_.empty()) {
      keywords.insert(keywords.end(), settings.begin(), settings.end());
    }
    if (keywords.empty()) {
      return;
    }
    for (const std::string& word : words_) {
      const auto is_it = [&](const Keyword& keyword) { return keyword.name == word; };
      if (word.find('=') == word.npos && !std::ranges::any_of(keywords, is_it) &&
          !is_one_of_many_ && !stream.keywords().find(word)) {
        throw_missing(stream.name(), word);
      }
    }
    stream.keywords().set(keywords);
    context.warn_unterminated(stream.name(), keywords);
    for (const Keyword& keyword : keywords) {
      context.detail(stream.name(), fmt::format("{} = {}", keyword.name, to_string(keyword)));
    }
  }

  [[nodiscard]] std::vector<Keyword> load(const Context& context, const Stream& stream) const {
    const auto image = open_fits(from_);
    context.warn_unfit(stream.name(), image->unfit_keywords());
    return image->keywords();
  }

  void erase(const Stream& stream, const std::string& name) {
    note_found(stream.name(), name, stream.keywords().erase(name));
  }

  void note_found(const std::string& stream, const std::string& name, bool is_found) {
    if (is_found) {
      found_.insert(name);
    } else if (!is_one_of_many_) {
      throw_missing(stream, name);
    }
  }

  [[noreturn]] static void throw_missing(const std::string& stream, const std::string& name) {
    throw Error(Problem::failed, stream, fmt::format("has no keyword '{}'", name));
  }

  void print_value(const Context& context, const std::string& stream, const std::string& name,
                   const std::optional<Keyword>& keyword) {
    note_found(stream, name, keyword.has_value());
    if (keyword) {
      const std::string whose = is_one_of_many_ ? stream + " " : "";
      write_stdout(context.json() ? to_json_line(record(stream, *keyword))
                                  : whose + printable(to_string(*keyword)) + "\n");
    }
  }

  [[nodiscard]] static Record record(const std::string& stream, const Keyword& keyword) {
    Record record{{"stream", stream}};
    record.update(to_json(keyword));
    return record;
  }

  void list(const Context& context, const std::string& stream, std::vector<Keyword> keywords) {
    std::erase_if(keywords, [this](const Keyword& keyword) {
      return keyword.name.starts_with('_') && !all_;
    });
    if (!context.json() && is_one_of_many_) {
      for (const std::vector<std::string>& row : keyword_rows(keywords)) {
        rows_.push_back(row);
        rows_.back().insert(rows_.back().begin(), stream);
      }
      return;
    }
    if (!context.json()) {
      write_stdout(keyword_table(keywords));
      return;
    }
    std::string lines;
    for (const Keyword& keyword : keywords) {
      lines += to_json_line(record(stream, keyword));
    }
    write_stdout(lines);
  }

  void await(const Context& context, const Stream& stream, const KeywordCondition& awaited) {
    patience_.begin();
    KeywordWatch watch(stream, interrupted);
    const auto before = watch.find(awaited.name);
    context.readiness().say();
    const Arrival arrival = watch.look_until(
        [&] { return awaited.holds(watch.find(awaited.name), before); }, patience_.next());
    if (arrival == Arrival::timed_out) {
      const auto keyword = watch.find(awaited.name);
      context.note(stream.name(), fmt::format("timed out: {} is {}", awaited.name,
                                              keyword ? to_string(*keyword) : "not there"));
      throw TimedOut{};
    }
    if (arrival != Arrival::arrived) {
      end(context, arrival, watch, wait_, std::nullopt);
    }
  }

  /// Ends a wait that brought nothing.
  void end(const Context& context, Arrival arrival, const KeywordWatch& watch,
           const std::string& awaited, const std::optional<std::string>& lacking) const {
    if (arrival == Arrival::removed) {
      throw Error(Problem::removed, watch.stream().name(),
                  fmt::format("was removed while we waited for {}", awaited));
    }
    patience_.end(context, arrival, watch.follower(), lacking, "change");
  }

  using Values = std::vector<std::pair<std::string, std::optional<Keyword>>>;

  Exit follow(const Context& context, const Reference& wanted) {
    patience_.begin();
    KeywordWatch watch(context.open(wanted, Access::best, wish()), is_writing_over);
    std::vector<std::string> names = words_;
    if (names.empty() && csv_) {
      names = names_in(watch);  // which the first line tells
    }
    if (csv_) {
      std::vector<std::string> cells{"writetime", "cnt0"};
      cells.insert(cells.end(), names.begin(), names.end());
      write_stdout(csv_line(printable_cells(std::move(cells))));
    }
    context.detail(wanted.name, watch.follower().describe_waiting());
    context.readiness().say();
    Values before = values_in(watch, names);
    for (std::uint64_t lines = 0; !count_ || lines < *count_; ++lines) {
      Values now;
      const auto has_changed = [&] {
        now = values_in(watch, names);
        return !std::ranges::equal(now, before, is_same);
      };
      const Arrival arrival = patience_.wait(
          [&](const Deadline& deadline) { return watch.look_until(has_changed, deadline); });
      if (arrival != Arrival::arrived) {
        end(context, arrival, watch, "its keywords to change",
            Patience::lacking(lines, count_, "change"));
        break;
      }
      print_change(context, watch, now);
      before = std::move(now);
    }
    return Exit::done;
  }

  [[nodiscard]] std::vector<std::string> names_in(const KeywordWatch& watch) const {
    std::vector<std::string> names;
    for (const Keyword& keyword : watch.keywords()) {
      if (all_ || !keyword.name.starts_with('_')) {
        names.push_back(keyword.name);
      }
    }
    return names;
  }

  /// Of the keywords named; of all that are there, where none is.
  [[nodiscard]] Values values_in(const KeywordWatch& watch,
                                 const std::vector<std::string>& names) const {
    Values values;
    for (const std::string& name : names.empty() && !csv_ ? names_in(watch) : names) {
      values.emplace_back(name, watch.find(name));
    }
    return values;
  }

  [[nodiscard]] static bool is_same(const Values::value_type& a, const Values::value_type& b) {
    return a.first == b.first && a.second.has_value() == b.second.has_value() &&
           (!a.second || a.second->value == b.second->value);
  }

  [[nodiscard]] static std::vector<std::string> printable_cells(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
      cell = printable(cell);
    }
    return cells;
  }

  void print_change(const Context& context, const KeywordWatch& watch, const Values& values) const {
    const bool is_stamped = watch.written() != never;
    const std::string written =
        is_stamped ? to_utc(watch.written(), clock_of(watch.stream())) : std::string();
    if (context.json()) {
      Record keywords = Record::object();
      for (const auto& [name, keyword] : values) {
        keywords[name] = keyword ? to_json(*keyword).at("value") : Record();
      }
      write_stdout(to_json_line({{"stream", watch.stream().name()},
                                 {"cnt0", watch.cnt0()},
                                 {"writetime", is_stamped ? Record(written) : Record()},
                                 {"keywords", std::move(keywords)}}));
      return;
    }
    std::vector<std::string> cells{written, std::to_string(watch.cnt0())};
    for (const auto& [name, keyword] : values) {
      cells.push_back(csv_ ? (keyword ? to_string(*keyword) : "")
                           : fmt::format("{}={}", name, keyword ? to_string(*keyword) : "null"));
    }
    if (!csv_ && !is_stamped) {
      cells.front() = "null";
    }
    cells = printable_cells(std::move(cells));
    write_stdout(csv_ ? csv_line(cells) : fmt::format("{}\n", fmt::join(cells, " ")));
  }

  std::string ref_;
  std::vector<std::string> words_;
  bool delete_ = false;
  std::string form_;
  std::string from_;
  std::string wait_;
  bool follow_ = false;
  std::optional<std::uint64_t> count_;
  Patience patience_;
  bool csv_ = false;
  bool all_ = false;

  // Of a pattern.
  bool is_one_of_many_ = false;
  std::set<std::string> found_;  ///< keywords named that a stream has, or had
  std::vector<std::vector<std::string>> rows_{{"STREAM", "NAME", "TYPE", "VALUE", "COMMENT"}};
};

const Registration kw_registration("kw", "list, read, write and follow the keywords of a stream",
                                   {"SE", false, true},
                                   {.missing = "shmim-ls", .similar = "shmim-kw {}"}, make<Kw>,
                                   {"exposure=$(shmim-kw cam EXPTIME)",
                                    "shmim-kw cam TEMP EXPTIME -f --csv > temperature.csv"});

}  // namespace
}  // namespace shmim::tools
