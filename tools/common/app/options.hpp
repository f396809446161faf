#pragma once

// What a tool takes on its command line. A tool declares its options into a table of its own, which
// the parser, --help, the manual pages, the completions and the tests read. No header names CLI11,
// and options.cpp alone includes it.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shmim::tools {

/// What the options say that several tools have.
struct CommonOptions {
  std::string dir;
  std::string conf;
  std::string print;  ///< a template
  std::optional<unsigned> ready_fd;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

/// What a command line asks for.
enum class Request { run, help, version };

/// One option, or one of the words without a dash.
struct Option {
  std::vector<std::string> names;    ///< `-f`, `--follow`; empty for a word without a dash
  std::string kind;                  ///< what its value is: `FILE`, `DURATION`; empty for a flag
  std::string help;                  ///< a line, without a full stop
  std::vector<std::string> choices;  ///< the values there are, if they can be listed
  bool is_required = false;
  bool is_list = false;               ///< it may be given more than once
  bool may_lack_value = false;        ///< its value may be left out
  bool is_attached = false;           ///< then no word is its value unless `=` stands before it
  bool is_command = false;            ///< all words behind `--`
  std::vector<const Option*> needed;  ///< options without which it has no meaning
  std::vector<const Option*> excluded;
  bool* flag = nullptr;            ///< what a flag sets
  Request request = Request::run;  ///< what a flag asks for instead
  /// What takes each value. Throws UsageError without the name of the option.
  std::function<void(const std::string& text)> take;

  Option& required();
  Option& needs(const Option& other);
  Option& excludes(const Option& other);
  Option& one_of(std::vector<std::string> values);

  /// What messages call it: its long name if it has one.
  [[nodiscard]] const std::string& label() const noexcept;
  /// The help, and what it needs and excludes.
  [[nodiscard]] std::string description() const;
  [[nodiscard]] bool is_positional() const noexcept { return names.empty(); }
};

/// The numbers that an option takes.
struct Limits {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};
constexpr Limits above_zero{1};

/// Decimal digits, whatever zeros they begin with. Throws UsageError.
std::uint64_t parse_whole(const std::string& text, const Limits& limits);
/// `250us`, `5ms`, `2s`, `1m`; a bare number is seconds. Throws UsageError.
std::chrono::nanoseconds parse_duration(const std::string& text);
/// `524288`, `512KiB`, `8MiB`, `1GiB`: above zero. nullopt if it is none of these.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// The same of the value of an option. Throws UsageError.
std::uint64_t bytes_of(std::string_view option, const std::string& text);

/// Seconds, 0 or more, as the nearest whole number of nanoseconds. (Not by std::round: libm is slow
/// to load.)
constexpr std::chrono::nanoseconds nanoseconds_of(double seconds) noexcept {
  constexpr double longest = 1e9;  // 30 years, safely within 64 bits of nanoseconds
  const double nanoseconds = std::min(seconds, longest) * 1e9;
  const auto whole = static_cast<std::int64_t>(nanoseconds);
  const bool is_nearer_to_next = nanoseconds - static_cast<double>(whole) >= 0.5;
  return std::chrono::nanoseconds{is_nearer_to_next ? whole + 1 : whole};
}

class Options {
 public:
  /// Of shmim-TOOL.
  explicit Options(std::string tool);
  Options(const Options&) = delete;
  Options(Options&&) = delete;
  Options& operator=(const Options&) = delete;
  Options& operator=(Options&&) = delete;
  ~Options() = default;

  // Each declares an option and gives it, for what else is to be said of it. The target is set when
  // the command line is parsed, and must live until then. `names` are like `-f,--follow`.

  /// A word without a dash, or all of them.
  Option& positional(const std::string& kind, std::string& target, std::string help);
  Option& positional(const std::string& kind, std::vector<std::string>& target, std::string help);
  Option& flag(std::string_view names, bool& target, std::string help);
  Option& text(std::string_view names, const std::string& kind, std::string& target,
               std::string help);
  /// A command: all words behind the first `--`, as they are.
  Option& command(const std::string& kind, std::vector<std::string>& target, std::string help);
  /// An option that may be repeated.
  Option& texts(std::string_view names, const std::string& kind, std::vector<std::string>& target,
                std::string help);
  // NOLINTBEGIN(performance-unnecessary-value-param): moved, as no template shows
  template <class Number>
  Option& number(std::string_view names, std::string kind, Number& target, std::string help,
                 Limits limits = {}) {
    return add(names, std::move(kind), std::move(help),
               [&target, limits = within<Number>(limits)](const std::string& text) {
                 target = static_cast<Number>(parse_whole(text, limits));
               });
  }
  template <class Number>
  Option& number(std::string_view names, std::string kind, std::optional<Number>& target,
                 std::string help, Limits limits = {}) {
    return add(names, std::move(kind), std::move(help),
               [&target, limits = within<Number>(limits)](const std::string& text) {
                 target = static_cast<Number>(parse_whole(text, limits));
               });
  }
  // NOLINTEND(performance-unnecessary-value-param)
  /// Numbers of an option that may be repeated.
  Option& numbers(std::string_view names, std::string kind, std::vector<unsigned>& target,
                  std::string help, Limits limits = {});
  /// A real number, zero or above.
  Option& real(std::string_view names, std::string kind, double& target, std::string help);
  /// A real number above zero.
  Option& positive(std::string_view names, std::string kind, std::optional<double>& target,
                   std::string help);
  Option& duration(std::string_view names, std::optional<std::chrono::nanoseconds>& target,
                   std::string help);
  /// A duration that may be left out: then it is `otherwise`. What follows the option and is no
  /// duration is a word of its own, and is added to `words`.
  Option& duration_or(std::string_view names, std::optional<std::chrono::nanoseconds>& target,
                      std::chrono::nanoseconds otherwise, std::vector<std::string>& words,
                      std::string help);

  /// A flag, or a text after `=`: `--name` or `--name=TEXT`. Of `--name` it is empty.
  Option& text_or_none(std::string_view names, std::string_view kind,
                       std::optional<std::string>& target, std::string help);

  // Options that several tools have, with one meaning in all of them.

  Option& conf();
  Option& json(std::string help = "print one JSON object per line");
  Option& print(const std::string& fields);
  Option& ready_fd();
  Option& passive(bool& target);
  /// --dir, --quiet and --verbose, which every tool has.
  void common();
  [[nodiscard]] const CommonOptions& common_values() const noexcept { return common_; }

  /// In the order of their declaration, --help and --version first.
  [[nodiscard]] const std::deque<Option>& all() const noexcept { return options_; }
  /// The option of that name, or null.
  [[nodiscard]] const Option* find(std::string_view name) const noexcept;
  /// What --help prints of them, in so many columns where words can be parted so.
  [[nodiscard]] std::string help(std::string_view summary, std::size_t width) const;

  /// Sets the targets by a command line without its first word. A stream may be named by its file:
  /// then the target is its name, and --dir the file's directory. Throws UsageError.
  Request parse(std::span<const char* const> arguments);

 private:
  Option& add(std::string_view names, std::string kind, std::string help,
              std::function<void(const std::string& text)> take);
  template <class Number>
  static constexpr Limits within(Limits limits) noexcept {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
    return {limits.least, limits.most < most ? limits.most : most};
  }

  /// A value as it is, or of a reference that names a stream by its file the one by its name.
  [[nodiscard]] std::string taken(const std::string& kind, const std::string& text);

  std::string tool_;
  CommonOptions common_;
  std::vector<std::string> directories_;  ///< of the streams that were named by their files
  std::deque<Option> options_;            // which stay where they are
};

}  // namespace shmim::tools
