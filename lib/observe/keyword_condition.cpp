#include "shmim/keyword_condition.hpp"

#include <array>
#include <compare>
#include <utility>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

using Relation = KeywordCondition::Relation;
using KeywordValue = std::variant<std::int64_t, double, std::string>;

struct Sign {
  std::string_view text;
  Relation relation;
};
/// Those of two characters first.
constexpr std::array signs{Sign{"!=", Relation::not_equal}, Sign{"<=", Relation::at_most},
                           Sign{">=", Relation::at_least},  Sign{"=", Relation::equal},
                           Sign{"<", Relation::less},       Sign{">", Relation::greater}};

std::optional<double> number_of(const KeywordValue& value) noexcept {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return *real;
  }
  return parse_number<double>(std::get<std::string>(value));
}

std::partial_ordering compared(const KeywordValue& a, const KeywordValue& b) {
  if (a.index() == b.index()) {
    return a <=> b;
  }
  const auto number_a = number_of(a);
  const auto number_b = number_of(b);
  return number_a && number_b ? *number_a <=> *number_b : std::partial_ordering::unordered;
}

std::string_view without_blanks(std::string_view text) noexcept {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return text;
}

[[noreturn]] void throw_no_condition(std::string_view text) {
  throw Error(Problem::usage, "",
              fmt::format("'{}' is no condition: write NAME=VALUE, or != < <= > >=, or "
                          "'NAME changed'",
                          text));
}

}  // namespace

bool KeywordCondition::holds(const std::optional<Keyword>& keyword,
                             const std::optional<Keyword>& before) const {
  if (!keyword) {
    return false;
  }
  if (relation == Relation::changed) {
    return !before || before->value != keyword->value;
  }
  const std::partial_ordering order = compared(keyword->value, value);
  switch (relation) {
    case Relation::equal:
      return std::is_eq(order);
    case Relation::not_equal:
      return std::is_neq(order);
    case Relation::less:
      return std::is_lt(order);
    case Relation::at_most:
      return std::is_lteq(order);
    case Relation::greater:
      return std::is_gt(order);
    case Relation::at_least:
      return std::is_gteq(order);
    case Relation::changed:
      break;
  }
  return false;
}

KeywordCondition parse_keyword_condition(std::string_view text, std::optional<char> type) {
  constexpr std::string_view changed = " changed";
  const std::size_t at = text.find_first_of("!=<>");
  std::string_view name = without_blanks(text.substr(0, at));
  if (at == text.npos) {
    if (!name.ends_with(changed)) {
      throw_no_condition(text);
    }
    name.remove_suffix(changed.size());
    return {parse_keyword(fmt::format("{}=0", without_blanks(name))).name, Relation::changed, {}};
  }
  std::string_view rest = text.substr(at);
  for (const Sign& sign : signs) {
    if (rest.starts_with(sign.text)) {
      rest = without_blanks(rest.substr(sign.text.size()));
      const bool is_slip =
          rest.starts_with('=') ||
          (sign.relation != Relation::equal && (rest.starts_with('<') || rest.starts_with('>')));
      if (is_slip) {
        break;  // as in A==1 or A>>1, which are no text of `=1` or `>1`
      }
      Keyword keyword = parse_keyword(fmt::format("{}={}", name, rest), type);
      return {std::move(keyword.name), sign.relation, std::move(keyword.value)};
    }
  }
  throw_no_condition(text);
}

}  // namespace shmim
