// shmim-kw: lists, reads and writes the keywords of a stream.

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>
#include <shmim/fits.hpp>

#include "common/app/tool.hpp"
#include "common/print/json.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

class Kw final : public Tool {
 public:
  void declare(Options& options) override {
    options
        .positional("REF", ref_,
                    "stream whose keywords they are, or a pattern with * ? [...]; takes @S: @E:")
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
            .text("--wait", "NAME=VALUE", wait_, "last of all, wait until a keyword has this value")
            .excludes(erase);
    options.duration("-t,--timeout", timeout_, "give up waiting when it takes longer").needs(wait);
    options.ready_fd();
    options.flag("-a,--all", all_, "also list technical keywords, whose names begin with _");
    options.json("print one JSON object per keyword");
  }

  Exit run(const Context& context) override {
    const Reference wanted = context.pattern(ref_);
    if (!is_pattern(wanted.name)) {
      return context.about(wanted, [&] { return work(context, wanted); });
    }
    if (!wait_.empty()) {
      throw UsageError("--wait takes one stream, and no pattern");
    }
    const Exit status = work_on_all(context, wanted);
    if (rows_.size() > 1) {
      write_stdout(to_table(rows_));
    }
    return status;
  }

 private:
  /// Streams that lack a keyword which is named are passed over, unless all do.
  Exit work_on_all(const Context& context, const Reference& pattern) {
    const std::vector<Reference> streams = context.streams_of(pattern);
    if (streams.empty()) {
      return context.report(
          Error(Problem::not_found, pattern.text,
                fmt::format("no such stream in {}", context.search_path().shm.string())));
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
    const auto awaited = wait_.empty() ? std::nullopt : std::optional(parse_keyword(wait_, type()));
    const bool writes = delete_ || !settings.empty() || !from_.empty();
    const Stream stream = context.open(wanted, writes ? Access::best : Access::read);
    set(context, stream, settings);
    Exit worst = Exit::done;
    for (const std::string& word : words_) {
      const Exit status = context.about(wanted, [&] {
        if (delete_) {
          erase(stream, word);
        } else if (word.find('=') == std::string::npos) {
          print_value(context, stream, word);
        }
        return Exit::done;
      });
      worst = worst == Exit::done ? status : worst;
    }
    if (awaited) {
      await(context, stream, *awaited);
    } else if (words_.empty() && from_.empty()) {
      list(context, stream);
    }
    return worst;
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
        throw_missing(stream, word);
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
    note_found(stream, name, stream.keywords().erase(name));
  }

  void note_found(const Stream& stream, const std::string& name, bool is_found) {
    if (is_found) {
      found_.insert(name);
    } else if (!is_one_of_many_) {
      throw_missing(stream, name);
    }
  }

  [[noreturn]] static void throw_missing(const Stream& stream, const std::string& name) {
    throw Error(Problem::failed, stream.name(), fmt::format("has no keyword '{}'", name));
  }

  void print_value(const Context& context, const Stream& stream, const std::string& name) {
    const auto keyword = stream.keywords().find(name);
    note_found(stream, name, keyword.has_value());
    if (keyword) {
      const std::string whose = is_one_of_many_ ? stream.name() + " " : "";
      write_stdout(context.json() ? to_json_line(record(stream, *keyword))
                                  : whose + printable(to_string(*keyword)) + "\n");
    }
  }

  [[nodiscard]] static Record record(const Stream& stream, const Keyword& keyword) {
    Record record{{"stream", stream.name()}};
    record.update(to_json(keyword));
    return record;
  }

  void list(const Context& context, const Stream& stream) {
    std::vector<Keyword> keywords = stream.keywords().all();
    std::erase_if(keywords, [this](const Keyword& keyword) {
      return keyword.name.starts_with('_') && !all_;
    });
    if (!context.json() && is_one_of_many_) {
      for (const std::vector<std::string>& row : keyword_rows(keywords)) {
        rows_.push_back(row);
        rows_.back().insert(rows_.back().begin(), stream.name());
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

  /// 1 and 1.0 are one value, and so are a string and a number that is written so.
  [[nodiscard]] static bool is_same_value(const Keyword& a, const Keyword& b) {
    return a.value == b.value || to_string(a) == to_string(b);
  }

  void await(const Context& context, const Stream& stream, const Keyword& awaited) const {
    constexpr std::chrono::milliseconds interval{2};
    constexpr int looks_between_names = 50;
    const Deadline deadline = deadline_after(timeout_);
    context.readiness().say();
    for (int look = 0;; ++look) {
      const auto keyword = stream.keywords().find(awaited.name);
      if (keyword && is_same_value(*keyword, awaited)) {
        return;
      }
      if (look % looks_between_names == 0 && !stream.is_current()) {
        throw Error(Problem::removed, stream.name(),
                    fmt::format("was removed or re-created while we waited for {}", wait_));
      }
      const auto moment = std::chrono::steady_clock::now();
      if (deadline && moment >= *deadline) {
        context.note(stream.name(), fmt::format("timed out: {} is {}", awaited.name,
                                                keyword ? to_string(*keyword) : "not there"));
        throw TimedOut{};
      }
      sleep_until(moment + interval);
    }
  }

  std::string ref_;
  std::vector<std::string> words_;
  bool delete_ = false;
  std::string form_;
  std::string from_;
  std::string wait_;
  std::optional<std::chrono::nanoseconds> timeout_;
  bool all_ = false;

  // Of a pattern.
  bool is_one_of_many_ = false;
  std::set<std::string> found_;  ///< keywords named that a stream has, or had
  std::vector<std::vector<std::string>> rows_{{"STREAM", "NAME", "TYPE", "VALUE", "COMMENT"}};
};

const Registration kw_registration("kw", "list, read and write the keywords of a stream", {"SE"},
                                   {.missing = "shmim-ls", .similar = "shmim-kw {}"}, make<Kw>,
                                   {"exposure=$(shmim-kw cam EXPTIME)", "shmim-kw 'wfs*' GAIN"});

}  // namespace
}  // namespace shmim::tools
