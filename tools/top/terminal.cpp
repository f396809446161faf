#include "top/terminal.hpp"

#include "common/print/json.hpp"

// What ncurses is to call functions, and not macros; those for wide characters among them.
#define NCURSES_NOMACROS 1  // NOLINT
#define NCURSES_WIDECHAR 1  // NOLINT

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <shmim/shmim.hpp>
#include <term.h>
#include <termios.h>
#include <unistd.h>

// What ncurses defines as macros would take our members' names.
#undef clear
#undef columns
#undef lines

namespace shmim::tools {
namespace {

// For a signal handler, which may call next to nothing: what gives the terminal back, ready to be
// written.
termios terminal_before;
std::array<char, 256> give_back;
std::size_t give_back_bytes = 0;
volatile std::sig_atomic_t is_taken = 0;

void on_crash(int signal) noexcept {
  if (is_taken != 0) {
    is_taken = 0;
    const ssize_t written = ::write(STDOUT_FILENO, give_back.data(), give_back_bytes);
    static_cast<void>(written);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
  }
  static_cast<void>(std::signal(signal, SIG_DFL));
  static_cast<void>(std::raise(signal));
}

/// What the terminal is told to do it; null where it cannot.
const char* capability_of(const char* name) noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): its prototype is older than const
  const char* text = ::tigetstr(const_cast<char*>(name));
  // -1 as a pointer, or none: the terminal has no such thing.
  return reinterpret_cast<std::intptr_t>(text) == -1 ? nullptr : text;
}

void remember(const char* capability) noexcept {
  const char* text = capability_of(capability);
  if (text == nullptr) {
    return;
  }
  const std::size_t length = std::strlen(text);
  if (give_back_bytes + length <= give_back.size()) {
    std::copy_n(text, length, give_back.begin() + static_cast<std::ptrdiff_t>(give_back_bytes));
    give_back_bytes += length;
  }
}

constexpr short warning_pair = 1;
constexpr int first_pixel_pair = 16;

attr_t attributes_of(Style style) noexcept {
  switch (style) {
    case Style::plain:
      return A_NORMAL;
    case Style::heading:
      return A_BOLD;
    case Style::selected:
      return A_REVERSE;
    case Style::warning:
      return A_BOLD | static_cast<attr_t>(COLOR_PAIR(warning_pair));
    case Style::faint:
      return A_DIM;
  }
  return A_NORMAL;
}

/// The colour that a terminal shows for a shade of grey.
int colour_of(unsigned shade, unsigned shades) noexcept {
  constexpr int first_grey = 232;  // of 256 colours: 24 greys
  if (shades == 24) {
    return first_grey + static_cast<int>(shade);
  }
  const auto level = static_cast<int>(shade * 255 / (shades - 1));
  return level << 16 | level << 8 | level;
}

/// Prepares a pair of colours for each pair of shades; gives how many shades there can be.
unsigned prepare_shades() noexcept {
  unsigned shades = COLORS > 0x10000 ? 64 : COLORS >= 256 ? 24 : 0;
  if (COLOR_PAIRS < first_pixel_pair + static_cast<int>(shades * shades)) {
    shades = 0;
  }
  for (unsigned upper = 0; upper < shades; ++upper) {
    for (unsigned lower = 0; lower < shades; ++lower) {
      ::init_extended_pair(first_pixel_pair + static_cast<int>(upper * shades + lower),
                           colour_of(upper, shades), colour_of(lower, shades));
    }
  }
  return shades;
}

void require_known_terminal() {
  const char* name = std::getenv("TERM");
  const std::string subject =
      std::string("TERM is ") + (name == nullptr ? "not set" : printable(name));
  int known = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &known) != OK) {
    throw Error(Problem::failed, "terminal", subject + ", of which nothing is known");
  }
  const bool can_place = capability_of("cup") != nullptr;
  ::del_curterm(cur_term);
  if (!can_place) {
    throw Error(Problem::failed, "terminal",
                subject + ", which cannot place its cursor: --batch prints tables");
  }
}

}  // namespace

Terminal::Terminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    throw Error(Problem::failed, "terminal",
                "standard input and output are none: --batch prints tables, --openmetrics metrics");
  }
  static_cast<void>(std::setlocale(LC_CTYPE, ""));
  unicode_ = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  ::tcgetattr(STDIN_FILENO, &terminal_before);
  require_known_terminal();
  if (::newterm(nullptr, stdout, stdin) == nullptr) {
    throw Error(Problem::failed, "terminal", "cannot be set up");
  }
  give_back_bytes = 0;
  for (const char* capability : {"sgr0", "op", "cnorm", "rmkx", "rmcup"}) {
    remember(capability);
  }
  is_taken = 1;
  struct sigaction action {};
  action.sa_handler = on_crash;
  // SIGBUS is left to the library, which survives streams that are cut short.
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGQUIT, SIGHUP,
                           SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR}) {
    ::sigaction(signal, &action, nullptr);
  }
  const bool has_colours = std::getenv("NO_COLOR") == nullptr && ::has_colors();
  if (has_colours) {
    ::start_color();
    ::use_default_colors();
    // The one colour: any other is hard to read on some background, light or dark.
    ::init_pair(warning_pair, COLOR_RED, -1);
    shades_ = unicode_ ? prepare_shades() : 0;
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::curs_set(0);
  ::intrflush(stdscr, FALSE);
  ::keypad(stdscr, TRUE);
  ::set_escdelay(25);
}

Terminal::~Terminal() {
  ::endwin();
  is_taken = 0;
}

// There is one screen, and whoever holds a Terminal may draw on it.
// NOLINTBEGIN(readability-convert-member-functions-to-static,readability-make-member-function-const)
int Terminal::rows() const noexcept { return LINES; }

int Terminal::columns() const noexcept { return COLS; }

void Terminal::clear() noexcept { ::werase(stdscr); }

void Terminal::put(int row, int column, std::string_view text, Style style) {
  if (row < 0 || row >= LINES || column < 0 || column >= COLS) {
    return;
  }
  ::wattrset(stdscr, static_cast<int>(attributes_of(style)));
  // As many characters as there is room for, none cut in two.
  const std::string_view shown = beginning_of(text, static_cast<std::size_t>(COLS - column));
  ::mvwaddnstr(stdscr, row, column, shown.data(), static_cast<int>(shown.size()));
  ::wattrset(stdscr, A_NORMAL);
}

void Terminal::put_pixels(int row, int column, unsigned upper, unsigned lower) noexcept {
  if (row < 0 || row >= LINES || column < 0 || column >= COLS) {
    return;
  }
  const int pair = first_pixel_pair + static_cast<int>(upper * shades_ + lower);
  cchar_t cell;
  constexpr std::array<wchar_t, 2> upper_half{L'\u2580', L'\0'};
  ::setcchar(&cell, upper_half.data(), A_NORMAL, 0, &pair);
  ::mvwadd_wch(stdscr, row, column, &cell);
}

void Terminal::show() noexcept { ::wrefresh(stdscr); }

std::optional<int> Terminal::read_key(std::chrono::milliseconds patience) noexcept {
  ::wtimeout(stdscr, static_cast<int>(std::max<std::int64_t>(patience.count(), 0)));
  wint_t read = 0;
  const int kind = ::wget_wch(stdscr, &read);
  if (kind == ERR) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const bool has_gone = ::poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR)) != 0;
    return has_gone ? std::optional(int{key::gone}) : std::nullopt;
  }
  const auto character = static_cast<int>(read);
  if (kind != KEY_CODE_YES) {
    switch (character) {
      case '\r':
      case '\n':
        return key::enter;
      case '\x1b':
        return key::escape;
      case '\x7f':
      case '\b':
        return key::backspace;
      default:
        return character;
    }
  }
  switch (character) {
    case KEY_UP:
      return key::up;
    case KEY_DOWN:
      return key::down;
    case KEY_LEFT:
      return key::left;
    case KEY_RIGHT:
      return key::right;
    case KEY_PPAGE:
      return key::page_up;
    case KEY_NPAGE:
      return key::page_down;
    case KEY_HOME:
      return key::home;
    case KEY_END:
      return key::end;
    case KEY_ENTER:
      return key::enter;
    case KEY_BACKSPACE:
      return key::backspace;
    default:
      return key::resize;
  }
}
// NOLINTEND(readability-convert-member-functions-to-static,readability-make-member-function-const)

}  // namespace shmim::tools
