#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "shmim/export.hpp"
#include "shmim/keywords.hpp"

namespace shmim {

/// What a keyword is waited for to be: `TEMP>-40`.
struct SHMIM_EXPORT KeywordCondition {
  enum class Relation { equal, not_equal, less, at_most, greater, at_least, changed };
  std::string name;
  Relation relation = Relation::equal;
  /// What the value is compared with; of no meaning for `changed`.
  std::variant<std::int64_t, double, std::string> value;

  /// True if the keyword is there and as demanded; `before` is what it was when the waiting began.
  /// Two texts are compared byte by byte, and as numbers where one of them is a number; what cannot
  /// be compared so is unequal, and neither less nor greater.
  [[nodiscard]] bool holds(const std::optional<Keyword>& keyword,
                           const std::optional<Keyword>& before) const;
};

/// Reads `NAME=VALUE`, the same with != < <= > or >=, whose value is written as for
/// parse_keyword(), or `NAME changed`. Blanks may stand around the sign. Throws Error (usage).
[[nodiscard]] SHMIM_EXPORT KeywordCondition
parse_keyword_condition(std::string_view text, std::optional<char> type = std::nullopt);

}  // namespace shmim
