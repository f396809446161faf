#include "shmim/slice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "shmim/error.hpp"

namespace shmim {
namespace {

[[noreturn]] void reject(const std::string& what) { throw Error(Problem::usage, "", what); }

/// Reads a slice from left to right and knows the column it is at.
class SliceParser {
 public:
  SliceParser(std::string_view text, std::size_t column) noexcept : rest_(text), column_(column) {}

  Slice parse() {
    skip_blanks();
    if (rest_.empty()) {
      reject("an empty slice []: leave the brackets out for the whole frame");
    }
    Slice slice;
    do {
      if (slice.size() == layout::max_axes) {
        reject(fmt::format("more than three axes in the slice, at column {}", column_));
      }
      slice.push_back(parse_axis());
    } while (accept(","));
    if (!rest_.empty()) {
      unexpected();
    }
    return slice;
  }

 private:
  AxisSlice parse_axis() {
    AxisSlice axis;
    if (accept("@")) {
      axis.newest = true;
      if (!at_end_of_axis()) {
        unexpected();
      }
      return axis;
    }
    if (accept("-*")) {
      axis.reversed = true;
    } else if (!accept("*")) {
      axis.first = parse_index();
      if (at_end_of_axis()) {
        axis.single = axis.first.has_value();
        return axis;
      }
      if (!rest_.starts_with(':')) {
        unexpected();
      }
      if (!rest_.starts_with("::")) {
        accept(":");
        axis.last = parse_index();
      }
    }
    if (accept("::") || accept(":")) {
      parse_step(axis);
    }
    if (!at_end_of_axis()) {
      unexpected();
    }
    return axis;
  }

  void parse_step(AxisSlice& axis) {
    if (at_end_of_axis()) {
      return;
    }
    const std::size_t column = column_;
    const auto step = parse_index();
    if (!step) {
      unexpected();
    }
    if (*step < 1) {
      reject(fmt::format(
          "a step of {} at column {}: it is at least 1{}", *step, column,
          *step < 0 ? " (a negative step is not a way to reverse: write the range backwards)"
                    : ""));
    }
    axis.step = static_cast<std::uint64_t>(*step);
    axis.bin = accept("b");
  }

  std::optional<std::int64_t> parse_index() {
    skip_blanks();
    std::int64_t value = 0;
    const auto* end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error == std::errc::result_out_of_range) {
      reject(fmt::format("the number is too large, at column {}", column_));
    }
    if (error != std::errc{}) {
      return std::nullopt;
    }
    advance(static_cast<std::size_t>(stop - rest_.data()));
    return value;
  }

  bool at_end_of_axis() {
    skip_blanks();
    return rest_.empty() || rest_.starts_with(',');
  }

  bool accept(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) {
      return false;
    }
    advance(token.size());
    return true;
  }

  void skip_blanks() {
    while (rest_.starts_with(' ')) {
      advance(1);
    }
  }

  void advance(std::size_t characters) {
    rest_.remove_prefix(characters);
    column_ += characters;
  }

  [[noreturn]] void unexpected() const {
    reject(rest_.empty()
               ? fmt::format("the slice ends too soon, at column {}", column_)
               : fmt::format("unexpected '{}' in the slice, at column {}", rest_.front(), column_));
  }

  std::string_view rest_;
  std::size_t column_;
};

std::string to_string(const AxisSlice& axis) {
  std::string text;
  if (axis.newest) {
    return "@";
  }
  if (axis.single) {
    return fmt::format("{}", *axis.first);
  }
  if (axis.reversed) {
    text = "-*";
  } else if (!axis.first && !axis.last) {
    text = "*";
  } else {
    text = fmt::format("{}:{}", axis.first ? std::to_string(*axis.first) : "",
                       axis.last ? std::to_string(*axis.last) : "");
  }
  if (axis.step != 1 || axis.bin) {
    text += fmt::format("::{}{}", axis.step, axis.bin ? "b" : "");
  }
  return text;
}

}  // namespace

std::string to_string(const Slice& slice) {
  std::string text;
  for (const AxisSlice& axis : slice) {
    text += (text.empty() ? "" : ",") + to_string(axis);
  }
  return text;
}

Slice parse_slice(std::string_view text, std::size_t column) {
  return SliceParser(text, column).parse();
}

}  // namespace shmim
