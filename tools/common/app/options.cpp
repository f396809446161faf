// Values on the command line: durations and numbers.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>

#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array units{Unit{"ns", 1e-9}, Unit{"us", 1e-6}, Unit{"ms", 1e-3}, Unit{"s", 1},
                           Unit{"m", 60},    Unit{"h", 3600},  Unit{"", 1}};

}  // namespace

std::chrono::nanoseconds parse_duration(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view suffix(stop, static_cast<std::size_t>(end - stop));
  const auto* unit = std::find_if(units.begin(), units.end(),
                                  [suffix](const Unit& known) { return known.name == suffix; });
  if (error != std::errc{} || unit == units.end() || !std::isfinite(value) || value < 0) {
    throw UsageError(fmt::format(
        "'{}' is no duration: write 250us, 5ms, 2s or 1m; a bare number is seconds", text));
  }
  return nanoseconds_of(value * unit->seconds);
}

CLI::Option* add_optional_duration(CLI::App& app, const std::string& name,
                                   std::optional<std::chrono::nanoseconds>& value,
                                   std::chrono::nanoseconds otherwise,
                                   std::vector<std::string>& words, const std::string& what) {
  const auto parse = [&value, &words, otherwise](const std::string& given) {
    value = otherwise;
    if (!given.empty()) {
      try {
        value = parse_duration(given);
      } catch (const UsageError&) {
        words.push_back(given);
      }
    }
  };
  return app.add_option_function<std::string>(name, parse, what)
      ->expected(0, 1)
      ->type_name("[DURATION]");
}

CLI::Validator above_zero() {
  return {[](const std::string& text) {
            double value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            return error == std::errc{} && stop == end && value > 0
                       ? std::string()
                       : fmt::format("'{}' is no number above 0", text);
          },
          "", "above zero"};
}

CLI::Validator whole_number(bool zero_too) {
  return {[zero_too](std::string& text) {
            std::uint64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            if (error != std::errc{} || stop != end || (value == 0 && !zero_too)) {
              return fmt::format("'{}' is no whole number{}", text, zero_too ? "" : " above 0");
            }
            text = std::to_string(value);  // which CLI11 does not take for an octal one
            return std::string();
          },
          "", "whole number"};
}

CLI::Option* add_duration(CLI::App& app, const std::string& name,
                          std::optional<std::chrono::nanoseconds>& value, const std::string& what) {
  const auto parse = [&value, longest = name.substr(name.rfind(',') + 1)](const std::string& text) {
    try {
      value = parse_duration(text);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", longest, error.what()));
    }
  };
  return app.add_option_function<std::string>(name, parse, what)->type_name("DURATION");
}

}  // namespace shmim::tools
