#include "fits/section.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include "fits/text.hpp"
#include "shmim/error.hpp"
#include "shmim/fits.hpp"
#include "shmim/text.hpp"

namespace shmim::fits {
namespace {

std::optional<long> positive(std::string_view text) {
  const auto number = parse_number<long>(text);
  return number.value_or(0) > 0 ? number : std::nullopt;
}

/// A keyword of the world coordinates: `root`, the axes it is about, and the letter of the
/// description that it belongs to, if it is not the first.
struct WorldKeyword {
  std::string_view root;
  std::size_t row;   ///< the axis of the world in a matrix
  std::size_t axis;  ///< of the pixels
  std::string_view letter;
};

std::optional<WorldKeyword> world_keyword(std::string_view name) {
  for (const std::string_view root : {"CRPIX", "CDELT", "CD", "PC"}) {
    if (!name.starts_with(root)) {
      continue;
    }
    WorldKeyword keyword{root, 0, 0, {}};
    std::string_view axes = name.substr(root.size());
    if (!axes.empty() && axes.back() >= 'A' && axes.back() <= 'Z') {
      keyword.letter = axes.substr(axes.size() - 1);
      axes.remove_suffix(1);
    }
    if (root.size() == 2) {  // a matrix
      const std::size_t line = std::min(axes.find('_'), axes.size());
      keyword.row = static_cast<std::size_t>(positive(axes.substr(0, line)).value_or(0));
      axes.remove_prefix(keyword.row == 0 ? axes.size() : line);
      axes.remove_prefix(axes.empty() ? 0 : 1);
    }
    keyword.axis = static_cast<std::size_t>(positive(axes).value_or(0));
    if (keyword.axis != 0) {
      return keyword;
    }
  }
  return std::nullopt;
}

std::optional<double> number_of(const Keyword& keyword) {
  if (const auto* integer = std::get_if<std::int64_t>(&keyword.value)) {
    return static_cast<double>(*integer);
  }
  const auto* real = std::get_if<double>(&keyword.value);
  return real != nullptr ? std::optional(*real) : std::nullopt;
}

}  // namespace

LONGLONG Range::length() const noexcept { return std::labs(last - first) / step + 1; }

std::optional<Range> parse_range(std::string_view text) {
  const std::string_view begin = take(text, ':');
  Range range;
  if (begin == "-*") {
    range.first = 0;
    range.last = 1;
  } else if (!begin.empty() && begin != "*") {
    const std::optional<long> first = positive(begin);
    const std::optional<long> last = positive(take(text, ':'));
    if (!first || !last) {
      return std::nullopt;
    }
    range.first = *first;
    range.last = *last;
  }
  const std::optional<long> step = text.empty() ? 1 : positive(text);
  if (!step) {
    return std::nullopt;
  }
  range.step = *step;
  return range;
}

Section resolve_section(Section section, const std::vector<LONGLONG>& axes,
                        const std::string& subject) {
  if (section.size() > axes.size()) {
    throw Error(Problem::usage, subject,
                fmt::format("the section has {} axes, the image {}", section.size(), axes.size()));
  }
  section.resize(axes.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    Range& range = section[axis];
    range.first = range.first == 0 ? axes[axis] : range.first;
    range.last = range.last == 0 ? axes[axis] : range.last;
    if (range.first > axes[axis] || range.last > axes[axis]) {
      throw Error(Problem::usage, subject,
                  fmt::format("the section reaches beyond axis {}, which has {} pixels", axis + 1,
                              axes[axis]));
    }
  }
  return section;
}

std::vector<Selection::Steps> steps_of(const Section& section) {
  std::vector<Selection::Steps> axes;
  for (const Range& range : section) {
    axes.push_back({static_cast<std::uint64_t>(range.first) - 1,
                    range.first > range.last ? -range.step : range.step, 1});
  }
  return axes;
}

namespace {

bool has(const std::vector<Keyword>& keywords, std::string_view name) {
  return std::any_of(keywords.begin(), keywords.end(),
                     [name](const Keyword& keyword) { return keyword.name == name; });
}

/// A CDELTn that is not there is 1, where there is no matrix CDi_j instead: after a step it must be
/// there.
void add_scales(std::vector<Keyword>& keywords, std::span<const Selection::Steps> axes) {
  std::vector<Keyword> added;
  for (const Keyword& keyword : keywords) {
    const std::optional<WorldKeyword> world = world_keyword(keyword.name);
    if (!world || world->root != "CRPIX" || world->axis > axes.size() ||
        axes[world->axis - 1].step == 1) {
      continue;
    }
    const bool has_matrix =
        std::any_of(keywords.begin(), keywords.end(), [&world](const Keyword& other) {
          const std::optional<WorldKeyword> matrix = world_keyword(other.name);
          return matrix && matrix->root == "CD" && matrix->letter == world->letter;
        });
    const std::string name = fmt::format("CDELT{}{}", world->axis, world->letter);
    if (!has_matrix && !has(keywords, name)) {
      added.push_back({name, 1.0, ""});
    }
  }
  keywords.insert(keywords.end(), added.begin(), added.end());
}

}  // namespace

void move_world(std::vector<Keyword>& keywords, std::span<const Selection::Steps> axes) {
  add_scales(keywords, axes);
  const auto step = [axes](std::size_t axis) {
    return axis >= 1 && axis <= axes.size() ? static_cast<double>(axes[axis - 1].step) : 1.0;
  };
  // Where a CDELTn takes the step of its row, the matrix PCi_n must not have it again.
  const auto step_of_scale = [&](std::size_t row, std::string_view letter) {
    return has(keywords, fmt::format("CDELT{}{}", row, letter)) ? step(row) : 1.0;
  };
  for (Keyword& keyword : keywords) {
    const std::optional<double> value = number_of(keyword);
    const std::optional<WorldKeyword> world = world_keyword(keyword.name);
    if (!value || !world || world->axis > axes.size()) {
      continue;
    }
    double moved = *value * step(world->axis);
    if (world->root == "CRPIX") {
      const Selection::Steps& taken = axes[world->axis - 1];
      // FITS counts from 1, and the middle of a group is where its mean belongs.
      const double half_group = (taken.group - 1) / 2.0 * (taken.step < 0 ? -1 : 1);
      const double middle = static_cast<double>(taken.first) + 1 + half_group;
      moved = (*value - middle) / step(world->axis) + 1;
    } else if (world->root == "PC") {
      moved /= step_of_scale(world->row, world->letter);
    }
    if (moved != *value) {
      keyword.value = moved;
    }
  }
}

}  // namespace shmim::fits

namespace shmim {

std::vector<Keyword> move_world(std::vector<Keyword> keywords, const Selection& selection) {
  std::vector<Selection::Steps> axes;
  for (std::size_t axis = 0; axis < selection.shape().axes(); ++axis) {
    axes.push_back(selection.steps(axis));
  }
  fits::move_world(keywords, axes);
  return keywords;
}

}  // namespace shmim
