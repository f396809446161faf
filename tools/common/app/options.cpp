#include "common/app/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <shmim/text.hpp>

#include "common/app/file_reference.hpp"
#include "common/app/renamed.hpp"
#include "common/io/exit.hpp"

namespace shmim::tools {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array units{Unit{"ns", 1e-9}, Unit{"us", 1e-6}, Unit{"ms", 1e-3}, Unit{"s", 1},
                           Unit{"m", 60},    Unit{"h", 3600},  Unit{"", 1}};

/// A name as CLI11 takes it: of `NAME[=VALUE]` the first word.
std::string plain_word(const std::string& kind) {
  const auto end = std::find_if_not(kind.begin(), kind.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  return {kind.begin(), end};
}

/// CLI11 takes a word in brackets for a list of words, where we have patterns: they go past it with
/// a character before them that no word begins with.
constexpr char shield = '\x01';

/// Everything on one line, or several with `indent` blanks before all but the first.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (used > 0 && used + 1 + word.size() > width) {
      lines += '\n' + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += word.size();
  }
  return lines;
}

std::string help_line(const Option& option, std::size_t width) {
  constexpr std::size_t least = 32;  // for the words
  const std::size_t column = width < 2 * least ? 8 : 28;
  std::string left = fmt::format("  {}", fmt::join(option.names, ","));
  if (!option.kind.empty()) {
    left +=
        fmt::format("{}{}", option.is_positional() || option.is_attached ? "" : " ", option.kind);
  }
  left += left.size() + 2 > column ? '\n' + std::string(column, ' ')
                                   : std::string(column - left.size(), ' ');
  return left + wrapped(option.description(), std::max(width, column + least) - column, column) +
         '\n';
}

std::string usage_line(std::string_view tool, const std::deque<Option>& options,
                       std::size_t width) {
  std::string line = fmt::format("Usage: shmim-{} [OPTIONS]", tool);
  for (const Option& option : options) {
    if (option.is_positional()) {
      const std::string word =
          (option.is_command ? "-- " : "") + option.kind + (option.is_list ? "..." : "");
      line += option.is_required ? ' ' + word : fmt::format(" [{}]", word);
    }
  }
  constexpr std::size_t indent = 7;  // behind `Usage: `
  return wrapped(line, width, indent) + '\n';
}

/// The table as CLI11 has it.
class Parser {
 public:
  Parser(const std::string& tool, const std::deque<Option>& options) : tool_(tool) {
    for (const Option& option : options) {
      if (option.is_command) {
        command_ = &option;
      } else {
        add(option);
      }
    }
    for (const auto& [option, declared] : options_) {
      for (const Option* other : option->needed) {
        declared->needs(find(*other));
      }
      for (const Option* other : option->excluded) {
        declared->excludes(find(*other));
      }
    }
  }

  Request parse(std::span<const char* const> arguments) {
    try {
      app_.parse(shielded(arguments));
      return Request::run;
    } catch (const CLI::CallForHelp&) {
      return Request::help;
    } catch (const CLI::CallForVersion&) {
      return Request::version;
    } catch (const CLI::ParseError& error) {
      throw UsageError(message_of(error));
    }
  }

 private:
  /// In reverse order, as CLI11 takes them.
  [[nodiscard]] std::vector<std::string> shielded(std::span<const char* const> arguments) const {
    std::vector<std::string> words(arguments.rbegin(), arguments.rend());
    for (std::string& word : words) {
      const bool is_bare = std::ranges::any_of(options_, [&](const auto& entry) {
        return entry.first->is_attached && entry.first->label() == word;
      });
      if (word.starts_with('[')) {
        word.insert(word.begin(), shield);
      } else if (is_bare) {
        word += {'=', shield};  // or it would take the next word for its value
      }
    }
    return words;
  }

  void add(const Option& option) {
    const std::string names = option.is_positional()
                                  ? plain_word(option.kind)
                                  : fmt::format("{}", fmt::join(option.names, ","));
    CLI::Option* declared = option.request == Request::help      ? app_.set_help_flag(names)
                            : option.request == Request::version ? app_.set_version_flag(names, "")
                            : option.flag != nullptr ? app_.add_flag(names, *option.flag)
                                                     : app_.add_option(names, take_of(option));
    if (option.is_list) {
      declared->expected(1, CLI::detail::expected_max_vector_size)
          ->allow_extra_args(option.is_positional());
    } else if (option.may_lack_value) {
      declared->expected(0, 1);
    }
    declared->required(option.is_required);
    options_.emplace_back(&option, declared);
  }

  [[nodiscard]] CLI::callback_t take_of(const Option& option) const {
    return [this, &option](const CLI::results_t& values) {
      for (const std::string& value : values) {
        try {
          // `--dir "$unset"` must not pass for no --dir.
          if (value.empty() && !option.may_lack_value && !option.is_positional()) {
            throw UsageError("an empty value");
          }
          const std::string word = value.starts_with(shield) ? value.substr(1) : value;
          require_choice(option, word);
          option.take(word);
        } catch (const UsageError& error) {
          // Not said before an unknown option is.
          throw CLI::ValidationError(option.label(),
                                     error.what() + (value.empty() ? "" : once(option)));
        }
      }
      return true;
    };
  }

  /// What the option meant once, for somebody who still uses it so.
  [[nodiscard]] std::string once(const Option& option) const {
    for (const std::string& name : option.names) {
      if (const auto answer = renamed_option(tool_, name); !answer.empty()) {
        return fmt::format("; {}", answer);
      }
    }
    return {};
  }

  static void require_choice(const Option& option, const std::string& value) {
    if (!option.choices.empty() &&
        std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end()) {
      throw UsageError(
          fmt::format("'{}' is not one of {}", value, fmt::join(option.choices, ", ")));
    }
  }

  [[nodiscard]] CLI::Option* find(const Option& wanted) const {
    return std::find_if(options_.begin(), options_.end(),
                        [&](const auto& entry) { return entry.first == &wanted; })
        ->second;
  }

  /// What is wrong with a command line, in our words where CLI11's are few.
  [[nodiscard]] std::string message_of(const CLI::ParseError& error) const {
    const auto strangers = app_.remaining();
    if (!strangers.empty() && strangers.front().starts_with('-')) {
      const std::string name = strangers.front().substr(0, strangers.front().find('='));
      const bool is_short = !name.starts_with("--");  // and its value may be part of the word
      const auto answer = renamed_option(tool_, is_short ? name.substr(0, 2) : name);
      return answer.empty() ? fmt::format("unknown option {}", name) : std::string(answer);
    }
    if (!strangers.empty() && command_ != nullptr) {
      return fmt::format("what is '{}'? {} stands behind --", strangers.front(), command_->kind);
    }
    std::string text = error.what();
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
      const std::string name = text.substr(0, text.find(':'));
      for (const auto& [option, declared] : options_) {
        if (option->label() == name) {
          return declared->count() > 1 ? fmt::format("{} is given twice", name)
                                       : fmt::format("{} needs {}", name, option->kind);
        }
      }
    }
    return text;
  }

  const std::string& tool_;
  const Option* command_ = nullptr;
  CLI::App app_;
  std::vector<std::pair<const Option*, CLI::Option*>> options_;
};

}  // namespace

std::uint64_t parse_whole(const std::string& text, const Limits& limits) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool is_number = error != std::errc::invalid_argument && stop == end;
  if (is_number && (error != std::errc{} || value > limits.most)) {
    throw UsageError(fmt::format("'{}' is more than {}", text, limits.most));
  }
  if (!is_number || value < limits.least) {
    throw UsageError(
        fmt::format("'{}' is not a whole number{}", text, limits.least > 0 ? " above 0" : ""));
  }
  return value;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  unsigned shift = 0;
  for (const std::string_view known : {"", "KiB", "MiB", "GiB"}) {
    if (error == std::errc{} && unit == known && value > 0 &&
        value <= (UINT64_MAX >> 24 >> shift)) {
      return value << shift;
    }
    shift += 10;
  }
  return std::nullopt;
}

std::uint64_t bytes_of(std::string_view option, const std::string& text) {
  if (const auto bytes = parse_bytes(text)) {
    return *bytes;
  }
  throw UsageError(fmt::format("{}: '{}' is not like 524288, 512KiB or 8MiB", option, text));
}

std::chrono::nanoseconds parse_duration(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
  const auto* unit = std::find_if(units.begin(), units.end(),
                                  [suffix](const Unit& known) { return known.name == suffix; });
  if (error != std::errc{} || unit == units.end() || !std::isfinite(value) || value < 0) {
    throw UsageError(fmt::format(
        "'{}' is not a duration: write 250us, 5ms, 2s or 1m; a bare number is seconds", text));
  }
  return nanoseconds_of(value * unit->seconds);
}

Option& Option::required() {
  is_required = true;
  return *this;
}

Option& Option::needs(const Option& other) {
  needed.push_back(&other);
  return *this;
}

Option& Option::excludes(const Option& other) {
  excluded.push_back(&other);
  return *this;
}

Option& Option::one_of(std::vector<std::string> values) {
  choices = std::move(values);
  return *this;
}

const std::string& Option::label() const noexcept { return names.empty() ? kind : names.back(); }

std::string Option::description() const {
  std::string text = help;
  const auto add = [&text](std::string_view what, const std::vector<const Option*>& others) {
    for (const Option* other : others) {
      text += fmt::format("{} {}", other == others.front() ? what : ",", other->label());
    }
  };
  add("; needs", needed);
  add("; not with", excluded);
  return text;
}

Options::Options(std::string tool) : tool_(std::move(tool)) {
  add("-h,--help", {}, "print this help and exit", {}).request = Request::help;
  add("-V,--version", {}, "print the version and exit", {}).request = Request::version;
}

Option& Options::add(std::string_view names, std::string kind, std::string help,
                     std::function<void(const std::string& text)> take) {
  Option& option = options_.emplace_back();
  for (std::string_view rest = names; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    option.names.emplace_back(name);
  }
  option.kind = std::move(kind);
  option.help = std::move(help);
  option.take = std::move(take);
  return option;
}

Option& Options::positional(const std::string& kind, std::string& target, std::string help) {
  return text({}, kind, target, std::move(help));
}

Option& Options::positional(const std::string& kind, std::vector<std::string>& target,
                            std::string help) {
  return texts({}, kind, target, std::move(help));
}

Option& Options::flag(std::string_view names, bool& target, std::string help) {
  Option& option = add(names, {}, std::move(help), {});
  option.flag = &target;
  return option;
}

Option& Options::text(std::string_view names, const std::string& kind, std::string& target,
                      std::string help) {
  return add(names, kind, std::move(help),
             [this, kind, &target](const std::string& text) { target = taken(kind, text); });
}

Option& Options::texts(std::string_view names, const std::string& kind,
                       std::vector<std::string>& target, std::string help) {
  Option& option =
      add(names, kind, std::move(help),
          [this, kind, &target](const std::string& text) { target.push_back(taken(kind, text)); });
  option.is_list = true;
  return option;
}

Option& Options::command(const std::string& kind, std::vector<std::string>& target,
                         std::string help) {
  Option& option = add({}, kind, std::move(help),
                       [&target](const std::string& text) { target.push_back(text); });
  option.is_list = true;
  option.is_command = true;
  return option;
}

Option& Options::numbers(std::string_view names, std::string kind, std::vector<unsigned>& target,
                         std::string help, Limits limits) {
  Option& option = add(names, std::move(kind), std::move(help),
                       [&target, limits = within<unsigned>(limits)](const std::string& text) {
                         target.push_back(static_cast<unsigned>(parse_whole(text, limits)));
                       });
  option.is_list = true;
  return option;
}

Option& Options::real(std::string_view names, std::string kind, double& target, std::string help) {
  return add(names, std::move(kind), std::move(help), [&target](const std::string& text) {
    const auto value = parse_number<double>(text);
    if (!value || !(*value >= 0) || !std::isfinite(*value)) {
      throw UsageError(fmt::format("'{}' is not a number, 0 or above", text));
    }
    target = *value;
  });
}

Option& Options::positive(std::string_view names, std::string kind, std::optional<double>& target,
                          std::string help) {
  return add(names, std::move(kind), std::move(help), [&target](const std::string& text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !(value > 0)) {
      throw UsageError(fmt::format("'{}' is not a number above 0", text));
    }
    target = value;
  });
}

Option& Options::duration(std::string_view names, std::optional<std::chrono::nanoseconds>& target,
                          std::string help) {
  return add(names, "DURATION", std::move(help),
             [&target](const std::string& text) { target = parse_duration(text); });
}

Option& Options::duration_or(std::string_view names,
                             std::optional<std::chrono::nanoseconds>& target,
                             std::chrono::nanoseconds otherwise, std::vector<std::string>& words,
                             std::string help) {
  Option& option = add(names, "[DURATION]", std::move(help),
                       [&target, &words, otherwise](const std::string& text) {
                         target = otherwise;
                         if (text.empty()) {
                           return;
                         }
                         try {
                           target = parse_duration(text);
                         } catch (const UsageError&) {
                           words.push_back(text);
                         }
                       });
  option.may_lack_value = true;
  return option;
}

Option& Options::text_or_none(std::string_view names, std::string_view kind,
                              std::optional<std::string>& target, std::string help) {
  Option& option = add(names, fmt::format("[={}]", kind), std::move(help),
                       [&target](const std::string& text) { target = text; });
  option.may_lack_value = true;
  option.is_attached = true;
  return option;
}

Option& Options::conf() {
  return text("--conf", "DIR", common_.conf, "conf directory (default: ./conf)");
}

Option& Options::json(std::string help) { return flag("--json", common_.json, std::move(help)); }

Option& Options::print(const std::string& fields) {
  return text("--print", "TEMPLATE", common_.print,
              "print this line instead, with fields as in '{cnt0}': " + fields);
}

Option& Options::ready_fd() {
  return number("--ready-fd", "FD", common_.ready_fd,
                "write a newline to this descriptor once waiting begins",
                {0, std::numeric_limits<int>::max()});
}

Option& Options::passive(bool& target) {
  return flag("--passive", target,
              "watch cnt0 instead of waiting on a semaphore: disturbs nobody, costs more of a "
              "processor");
}

void Options::common() {
  text("-d,--dir", "DIR", common_.dir,
       "shm directory (default: MILK_SHM_DIR, /milk/shm, /dev/shm)");
  flag("-q,--quiet", common_.quiet, "print only errors");
  flag("-v,--verbose", common_.verbose, "print on stderr what is being done");
}

const Option* Options::find(std::string_view name) const noexcept {
  for (const Option& option : options_) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

std::string Options::help(std::string_view summary, std::size_t width) const {
  std::string positionals;
  std::string dashed;
  for (const Option& option : options_) {
    (option.is_positional() ? positionals : dashed) += help_line(option, width);
  }
  return fmt::format("{}\n{}\n{}{}{}Options:\n{}\n", wrapped(summary, width, 0),
                     usage_line(tool_, options_, width),
                     positionals.empty() ? "" : "Positionals:\n", positionals,
                     positionals.empty() ? "" : "\n", dashed);
}

Request Options::parse(std::span<const char* const> arguments) {
  const auto command = std::ranges::find(options_, true, &Option::is_command);
  if (command != options_.end()) {
    const auto dashes = std::ranges::find(arguments, std::string_view("--"));
    const auto before = static_cast<std::size_t>(dashes - arguments.begin());
    for (const char* word : arguments.subspan(std::min(before + 1, arguments.size()))) {
      command->take(word);
    }
    arguments = arguments.first(before);
  }
  const Request request = Parser(tool_, options_).parse(arguments);
  for (const std::string& directory : directories_) {
    std::error_code no_directory;
    if (common_.dir.empty()) {
      common_.dir = directory;
    } else if (common_.dir != directory &&
               !std::filesystem::equivalent(common_.dir, directory, no_directory)) {
      throw UsageError(
          fmt::format("streams in two directories: {} and {}", common_.dir, directory));
    }
  }
  return request;
}

std::string Options::taken(const std::string& kind, const std::string& text) {
  constexpr std::array<std::string_view, 6> kinds_of_references{"REF",    "GLOB", "NAME",
                                                                "TARGET", "IN",   "OUT"};
  if (std::ranges::find(kinds_of_references, kind) == kinds_of_references.end()) {
    return text;
  }
  FileReference named = file_reference(text);
  if (!named.directory.empty()) {
    directories_.push_back(std::move(named.directory));
  }
  return std::move(named.reference);
}

}  // namespace shmim::tools
