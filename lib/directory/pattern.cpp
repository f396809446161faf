#include "shmim/pattern.hpp"

#include <algorithm>

#include <fnmatch.h>

#include "shmim/error.hpp"

namespace shmim {
namespace {

constexpr std::string_view wildcards = "*?[";

/// Of a text without an address.
Reference pattern_of(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    throw Error(Problem::usage, std::string(text),
                "a stream has no / in its name; --dir names the directory");
  }
  const std::size_t wildcard = text.find_first_of(wildcards);
  if (wildcard == std::string_view::npos) {
    return parse_reference(text);
  }
  // Modifiers and a type end with : and >, which no name holds.
  const std::size_t begin = text.substr(0, wildcard).find_last_of(":>") + 1;  // npos + 1 is 0
  Reference pattern = parse_reference(std::string(text.substr(0, begin)) + "pattern");
  pattern.name = text.substr(begin);
  pattern.text = text;
  return pattern;
}

}  // namespace

bool is_pattern(std::string_view name) noexcept {
  return name.find_first_of(wildcards) != std::string_view::npos;
}

Reference parse_pattern(std::string_view whole) {
  const Addressed addressed = split_address(whole);
  const bool means_all = addressed.address && addressed.rest.empty();
  // The rest by itself: brackets of an address are no pattern.
  Reference pattern = pattern_of(means_all ? "*" : addressed.rest);
  if (addressed.address) {
    if (pattern.location == Location::local) {
      return parse_reference(whole);  // which refuses it
    }
    pattern.address = addressed.address;
    pattern.text = whole;
  }
  return pattern;
}

bool matches(const Reference& pattern, std::string_view name, std::optional<DataType> type) {
  return ::fnmatch(pattern.name.c_str(), std::string(name).c_str(), FNM_PERIOD) == 0 &&
         (!pattern.type || type == pattern.type);
}

bool matches_any(std::span<const std::string> patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&name](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
  });
}

}  // namespace shmim
