#include "fits/section.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include "fits/text.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim::fits {
namespace {

std::optional<long> positive(std::string_view text) {
  const auto number = parse_number<long>(text);
  return number.value_or(0) > 0 ? number : std::nullopt;
}

/// Which axis a coordinate keyword is about: the number behind `root`, which one capital letter may
/// follow; 0 where it is another keyword.
std::size_t axis_of(std::string_view name, std::string_view root) {
  if (!name.starts_with(root)) {
    return 0;
  }
  name.remove_prefix(root.size());
  if (!name.empty() && name.back() >= 'A' && name.back() <= 'Z') {
    name.remove_suffix(1);
  }
  return static_cast<std::size_t>(positive(name).value_or(0));
}

/// Axis n of CDi_n.
std::size_t axis_of_cd(std::string_view name) {
  constexpr std::size_t matrix_row = 2;
  return name.size() > matrix_row && name[matrix_row] >= '1' && name[matrix_row] <= '9'
             ? axis_of(name, fmt::format("CD{}_", name[matrix_row]))
             : 0;
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

void move_world(std::vector<Keyword>& keywords, const Section& section) {
  for (Keyword& keyword : keywords) {
    const std::optional<double> value = number_of(keyword);
    const std::size_t reference = axis_of(keyword.name, "CRPIX");
    const std::size_t increment = axis_of(keyword.name, "CDELT") + axis_of_cd(keyword.name);
    const std::size_t axis = reference + increment;
    if (!value || axis == 0 || axis > section.size()) {
      continue;
    }
    const Range& range = section[axis - 1];
    const auto step = static_cast<double>(range.first > range.last ? -range.step : range.step);
    if (range.first != 1 || step != 1) {
      keyword.value =
          increment != 0 ? *value * step : (*value - static_cast<double>(range.first)) / step + 1;
    }
  }
}

}  // namespace shmim::fits
