#include "top/keys.hpp"

#include <array>

#include "top/terminal.hpp"

namespace shmim::tools {
namespace {

struct Key {
  int code;
  Command command;
};
constexpr std::size_t most_keys = 8;
struct Keys {
  KeyLine line;
  std::array<Key, most_keys> keys;  ///< code 0 ends them
};

constexpr std::array all_keys{
    Keys{{"Up Down PgUp PgDn Home End k j", "choose a stream"},
         {{{key::up, Command::previous},
           {key::down, Command::next},
           {key::page_up, Command::page_up},
           {key::page_down, Command::page_down},
           {key::home, Command::first},
           {key::end, Command::last},
           {'k', Command::previous},
           {'j', Command::next}}}},
    Keys{{"< > Left Right", "sort by the column before or after"},
         {{{'<', Command::sort_left},
           {'>', Command::sort_right},
           {key::left, Command::sort_left},
           {key::right, Command::sort_right}}}},
    Keys{{"r", "sort in reverse order"}, {{{'r', Command::reverse}}}},
    Keys{{"/", "show the streams whose names hold what you type"}, {{{'/', Command::filter}}}},
    Keys{{"Esc", "show the list alone, of all streams"}, {{{key::escape, Command::unfilter}}}},
    Keys{{"Space f", "freeze, and go on"}, {{{' ', Command::freeze}, {'f', Command::freeze}}}},
    Keys{{"Enter", "what is known of the stream, and its picture"},
         {{{key::enter, Command::detail}}}},
    Keys{{"[ ]", "scroll that"}, {{{'[', Command::scroll_up}, {']', Command::scroll_down}}}},
    Keys{{"c", "cuts of the picture: all but the outer hundredths, or the full range"},
         {{{'c', Command::change_cuts}}}},
    Keys{{"l", "cuts of the picture: the values that you type"}, {{{'l', Command::set_cuts}}}},
    Keys{{"g", "the graph of all streams"}, {{{'g', Command::graph}}}},
    Keys{{"d", "delete the stream, if you answer y"}, {{{'d', Command::remove}}}},
    Keys{{"? h", "what the keys do"}, {{{'?', Command::help}, {'h', Command::help}}}},
    Keys{{"q Q", "leave"}, {{{'q', Command::leave}, {'Q', Command::leave}}}},
};

constexpr auto lines_of_keys = [] {
  std::array<KeyLine, all_keys.size()> found{};
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i] = all_keys[i].line;
  }
  return found;
}();

}  // namespace

std::span<const KeyLine> key_lines() noexcept { return lines_of_keys; }

std::optional<Command> command_for(int key) noexcept {
  for (const Keys& keys : all_keys) {
    for (const Key& known : keys.keys) {
      if (known.code != 0 && known.code == key) {
        return known.command;
      }
    }
  }
  return std::nullopt;
}

}  // namespace shmim::tools
