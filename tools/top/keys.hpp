#pragma once

#include <optional>
#include <span>

namespace shmim::tools {

/// What a key of shmim-top asks for.
enum class Command {
  previous,
  next,
  page_up,
  page_down,
  first,
  last,
  sort_left,
  sort_right,
  reverse,
  filter,
  freeze,
  detail,
  scroll_up,
  scroll_down,
  change_cuts,
  set_cuts,
  graph,
  remove,
  help,
  unfilter,
  leave,
};

/// A line about keys, for the help on the screen and the manual page.
struct KeyLine {
  const char* names;    ///< as they stand on a keyboard, a blank between two
  const char* meaning;  ///< what they do
};
std::span<const KeyLine> key_lines() noexcept;

/// What a key asks for; none if it is no key of ours.
std::optional<Command> command_for(int key) noexcept;

}  // namespace shmim::tools
