#include "diff/differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/print/frame_text.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

using Value = std::variant<std::int64_t, double, std::string>;

bool is_same_value(const Value& a, const Value& b) {
  const auto* real_a = std::get_if<double>(&a);
  const auto* real_b = std::get_if<double>(&b);
  const bool are_nan =
      real_a != nullptr && real_b != nullptr && std::isnan(*real_a) && std::isnan(*real_b);
  return are_nan || a == b;
}

bool is_same_comment(const std::string& a, const std::string& b, bool may_be_cut) {
  return a == b || (may_be_cut && (a.starts_with(b) || b.starts_with(a)));
}

const Keyword* keyword_named(const std::string& name, const std::vector<Keyword>& keywords) {
  const auto found = std::ranges::find(keywords, name, &Keyword::name);
  return found == keywords.end() ? nullptr : &*found;
}

void compare_keywords(const std::vector<Keyword>& a, const std::vector<Keyword>& b,
                      const Rules& rules, FrameDifferences& found) {
  for (const Keyword& keyword : a) {
    if (rules.ignores(keyword.name)) {
      continue;
    }
    const Keyword* other = keyword_named(keyword.name, b);
    if (other == nullptr) {
      found.keywords.push_back({keyword, std::nullopt});
    } else if (!is_same_value(keyword.value, other->value)) {
      found.keywords.push_back({keyword, *other});
    } else if (!is_same_comment(keyword.comment, other->comment, rules.cuts_comments)) {
      found.comments.push_back({keyword, *other});
    }
  }
  for (const Keyword& keyword : b) {
    if (!rules.ignores(keyword.name) && keyword_named(keyword.name, a) == nullptr) {
      found.keywords.push_back({std::nullopt, keyword});
    }
  }
}

/// Without last axes of length 1, which FITS and NumPy have or leave out.
std::vector<std::uint32_t> axes_that_count(const Shape& shape) {
  std::vector<std::uint32_t> axes(shape.lengths().begin(), shape.lengths().end());
  while (axes.size() > 1 && axes.back() == 1) {
    axes.pop_back();
  }
  return axes;
}

bool is_same_size(const Shape& a, const Shape& b) {
  return axes_that_count(a) == axes_that_count(b);
}

std::span<const std::byte> element_at(const SideFrame& frame, std::uint64_t element) {
  const std::size_t size = element_size(frame.type);
  return std::span(frame.pixels).subspan(element * size, size);
}

std::string text_of_element(const SideFrame& frame, std::uint64_t element) {
  std::string text = to_text(element_at(frame, element), frame.type, Shape{1});
  text.pop_back();  // the end of the line
  return text;
}

/// Where an element lies, as a slice names it.
std::vector<std::uint64_t> position_of(std::uint64_t element, const Shape& shape) {
  std::vector<std::uint64_t> position;
  for (std::size_t axis = 0; axis < shape.axes(); ++axis) {
    position.push_back(element % shape[axis]);
    element /= shape[axis];
  }
  return position;
}

std::string number_in_words(double number) {
  return std::fabs(number) < 0x1p53 && number == std::floor(number) ? fmt::format("{:.0f}", number)
                                                                    : fmt::format("{:.6g}", number);
}

std::string pixels_in_words(const FrameDifferences& differences) {
  const Comparison& pixels = *differences.pixels;
  std::string text = fmt::format("{} of {} differ", pixels.differing, pixels.elements);
  const std::string where = fmt::format(
      "at [{}]: {} and {}", fmt::join(position_of(pixels.where, differences.shape_of_a), ","),
      differences.value_of_a, differences.value_of_b);
  if (pixels.nan == pixels.differing) {
    return fmt::format("{}, NaN in one of the two, the first {}", text, where);
  }
  if (pixels.nan > 0) {
    text += fmt::format(", {} of them NaN in one of the two", pixels.nan);
  }
  return fmt::format("{}, largest {} {}", text, number_in_words(pixels.largest), where);
}

/// As it would be written, and so that a number is told from a text.
std::string value_in_words(const Keyword& keyword) {
  const std::string text = printable(to_string(keyword));
  return std::holds_alternative<std::string>(keyword.value) ? fmt::format("'{}'", text) : text;
}

/// `-EXPTIME = 0.5`, and the same with + of the other; with their types where only these differ.
std::string lines_of_values(const KeywordPair& pair, const std::string& before) {
  const bool needs_types = pair.a && pair.b && value_in_words(*pair.a) == value_in_words(*pair.b);
  std::string text;
  const auto add = [&](char sign, const std::optional<Keyword>& keyword) {
    if (keyword) {
      const char* type = !needs_types                                     ? ""
                         : std::holds_alternative<double>(keyword->value) ? " (real)"
                                                                          : " (integer)";
      text += fmt::format("{}{}{} = {}{}\n", before, sign, printable(keyword->name),
                          value_in_words(*keyword), type);
    }
  };
  add('-', pair.a);
  add('+', pair.b);
  return text;
}

std::string lines_of_comments(const KeywordPair& pair, const std::string& before) {
  return fmt::format("{0}-{1} / {2}\n{0}+{1} / {3}\n", before, printable(pair.a->name),
                     printable(pair.a->comment), printable(pair.b->comment));
}

Record json_of(const std::vector<KeywordPair>& pairs) {
  Record list = Record::array();
  const auto json = [](const std::optional<Keyword>& keyword) {
    return keyword ? to_json(*keyword) : Record();
  };
  for (const KeywordPair& pair : pairs) {
    list.push_back(
        {{"name", (pair.a ? pair.a : pair.b)->name}, {"a", json(pair.a)}, {"b", json(pair.b)}});
  }
  return list;
}

Record json_of(const Comparison& pixels, const FrameDifferences& differences) {
  Record record{{"elements", pixels.elements},
                {"differing", pixels.differing},
                {"nan", pixels.nan},
                {"largest", nullptr},
                {"at", nullptr},
                {"a", nullptr},
                {"b", nullptr}};
  if (pixels.differing > 0) {
    record["largest"] = pixels.largest;  // which JSON has null for where it is not finite
    record["at"] = position_of(pixels.where, differences.shape_of_a);
    record["a"] = differences.value_of_a;
    record["b"] = differences.value_of_b;
  }
  return record;
}

}  // namespace

bool Rules::ignores(const std::string& name) const {
  return std::ranges::any_of(ignored, [&name](const std::string& pattern) {
    Reference wanted;
    wanted.name = pattern;
    return matches(wanted, name, std::nullopt);
  });
}

bool FrameDifferences::is_same() const noexcept {
  return !differ_in_type && keywords.empty() && comments.empty() && pixels && pixels->is_same();
}

FrameDifferences differences_of(const SideFrame& a, const SideFrame& b, const Rules& rules,
                                const OnDifference& on_difference) {
  FrameDifferences found;
  found.type_of_a = a.type;
  found.type_of_b = b.type;
  found.differ_in_type = rules.compares_types && a.type != b.type;
  found.shape_of_a = a.shape;
  found.shape_of_b = b.shape;
  if (a.keywords && b.keywords) {
    compare_keywords(*a.keywords, *b.keywords, rules, found);
  }
  if (is_same_size(a.shape, b.shape)) {
    found.pixels = compare(a.pixels, a.type, b.pixels, b.type, rules.tolerance, on_difference);
    if (!found.pixels->is_same()) {
      found.value_of_a = text_of_element(a, found.pixels->where);
      found.value_of_b = text_of_element(b, found.pixels->where);
    }
  }
  return found;
}

std::string to_text(const FrameDifferences& differences, const std::string& before) {
  std::string text;
  if (differences.differ_in_type) {
    text += fmt::format("{}type: {} and {}\n", before, to_string(differences.type_of_a),
                        to_string(differences.type_of_b));
  }
  if (!differences.pixels) {
    text += fmt::format("{}size: {} and {}, so pixels are not compared\n", before,
                        to_string(differences.shape_of_a), to_string(differences.shape_of_b));
  }
  if (const std::size_t count = differences.keywords.size(); count > 0) {
    text += fmt::format("{}keywords: {} differ{}\n", before, count, count == 1 ? "s" : "");
    for (const KeywordPair& pair : differences.keywords) {
      text += lines_of_values(pair, before);
    }
  }
  if (const std::size_t count = differences.comments.size(); count > 0) {
    text += fmt::format("{}comments: {} differ{}\n", before, count, count == 1 ? "s" : "");
    for (const KeywordPair& pair : differences.comments) {
      text += lines_of_comments(pair, before);
    }
  }
  if (differences.pixels && !differences.pixels->is_same()) {
    text += fmt::format("{}pixels: {}\n", before, pixels_in_words(differences));
  }
  return text;
}

Record to_json(const FrameDifferences& differences) {
  return {
      {"same", differences.is_same()},
      {"datatype",
       {{"a", to_string(differences.type_of_a)}, {"b", to_string(differences.type_of_b)}}},
      {"size", {{"a", to_json(differences.shape_of_a)}, {"b", to_json(differences.shape_of_b)}}},
      {"keywords", json_of(differences.keywords)},
      {"comments", json_of(differences.comments)},
      {"pixels", differences.pixels ? json_of(*differences.pixels, differences) : Record()}};
}

}  // namespace shmim::tools
