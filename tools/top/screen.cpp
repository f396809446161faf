#include "top/screen.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/stat.h>

#include "common/app/tool.hpp"
#include "common/print/facts.hpp"
#include "common/print/graph_text.hpp"
#include "common/print/picture_text.hpp"
#include "common/print/words.hpp"
#include "top/keys.hpp"

namespace shmim::tools {
namespace {

struct TopColumn {
  const char* name;     ///< of the table of columns
  const char* heading;  ///< short enough for 80 columns
  int width;
};
constexpr std::array top_columns{
    TopColumn{"rate", "RATE", 9},     TopColumn{"throughput", "FLOW", 9},
    TopColumn{"age", "AGE", 7},       TopColumn{"jitter", "JITTER", 7},
    TopColumn{"missed", "MISS", 5},   TopColumn{"readers", "RD", 2},
    TopColumn{"saturated", "SAT", 3}, TopColumn{"writer", "WRITER", 0},
};
constexpr int least_name_width = 12;
constexpr int trend_width = 8;

const Column& column_named(const char* name) { return *parse_columns("column", name).front(); }

/// What top_columns show, in their order.
const Columns& columns_shown() {
  static const Columns columns = [] {
    Columns found;
    for (const TopColumn& top : top_columns) {
      found.push_back(&column_named(top.name));
    }
    return found;
  }();
  return columns;
}

/// `text` in so many columns, cut with a mark where it is longer.
std::string fitted(const std::string& text, int width, bool is_right) {
  const auto room = static_cast<std::size_t>(width);
  const std::string shown =
      width_of(text) <= room ? text : fmt::format("{}~", beginning_of(text, room - 1));
  return is_right ? fmt::format("{:>{}}", shown, room) : fmt::format("{:<{}}", shown, room);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    lines.emplace_back(line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return lines;
}

/// Frame after frame has come in, once in ten seconds or oftener, as its counter and times tell.
bool has_run(const Description& description) noexcept {
  constexpr std::uint64_t fewest = 10;
  constexpr Seconds longest{10};
  const std::uint64_t frames = description.header.cnt0;
  const Tai created = description.created();
  return frames >= fewest && is_date(created) && is_date(description.written) &&
         Seconds(elapsed(created, description.written)) / static_cast<double>(frames) < longest;
}

/// Red is what ran and has stopped, or holds half a frame; faint what lies there, as a dark does.
Style style_of(const StreamRow& row) noexcept {
  constexpr std::chrono::seconds soon{2};
  const Description& description = row.description();
  if (description.unreadable) {
    return Style::faint;
  }
  if (description.state == FrameState::unfinished) {
    return Style::warning;
  }
  const auto age = description.age(description.written);
  if (row.watched->rate.hertz.value_or(1) > 0 || (age && *age < soon)) {
    return Style::plain;
  }
  return has_run(description) ? Style::warning : Style::faint;
}

void remove_last_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) {
    text.pop_back();
  }
  if (!text.empty()) {
    text.pop_back();
  }
}

void append_character(std::string& text, int character) {
  const auto code = static_cast<unsigned>(character);
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | code >> 6U);
    text += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0U | code >> 12U);
    text += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    text += static_cast<char>(0xF0U | code >> 18U);
    text += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
    text += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

}  // namespace

void Screen::draw() {
  terminal_.clear();
  const int foot = terminal_.rows() - 1;
  draw_title();
  if (pane_ == Pane::none) {
    draw_list(1, foot);
  } else if (pane_ == Pane::detail) {
    const int middle = std::max(4, foot / 3);
    draw_list(1, middle);
    draw_detail(middle, foot);
  } else {
    draw_list(1, 1);
    draw_lines(pane_ == Pane::graph ? graph_lines() : help_lines(), 1, foot, terminal_.columns());
  }
  draw_foot();
  terminal_.show();
}

void Screen::draw_title() {
  double bytes = 0;
  std::size_t running = 0;
  const std::vector<const Watched*> streams = model_.streams();
  for (const Watched* watched : streams) {
    if (watched->description.target) {
      continue;  // another name of a stream that is counted by its own
    }
    bytes += watched->bytes_per_second().value_or(0);
    running += watched->rate.hertz.value_or(0) > 0 ? 1 : 0;
  }
  std::string text =
      fmt::format("shmim-top {}  {}, {} running, {:.1f}MB/s", printable(model_.scene().name()),
                  counted(streams.size(), "stream"), running, bytes / 1e6);
  if (!model_.filter().empty()) {
    text += fmt::format("  filter '{}'", printable(model_.filter()));
  }
  if (model_.is_frozen()) {
    text += "  FROZEN";
  }
  const std::string trouble = model_.scene().trouble();
  if (!trouble.empty()) {
    text += "  STALE: " + printable(trouble);
  }
  terminal_.put(0, 0, text,
                model_.is_frozen() || !trouble.empty() ? Style::warning : Style::heading);
}

void Screen::keep_selection(const std::vector<StreamRow>& rows) {
  count_ = rows.size();
  const auto found = std::find_if(rows.begin(), rows.end(), [this](const StreamRow& row) {
    return row.description().name == selected_;
  });
  if (found != rows.end()) {
    index_ = static_cast<std::size_t>(found - rows.begin());
  } else {
    // It is gone: whatever took its place in the list.
    index_ = rows.empty() ? 0 : std::min(index_, rows.size() - 1);
    selected_ = rows.empty() ? std::string() : rows[index_].description().name;
  }
}

void Screen::draw_list(int first, int last) {
  const std::vector<StreamRow> rows = model_.rows();
  keep_selection(rows);
  if (last <= first) {
    return;
  }
  page_ = static_cast<std::size_t>(std::max(last - first - 1, 1));
  top_ = std::clamp(top_, index_ + 1 > page_ ? index_ + 1 - page_ : 0, index_);
  top_ = std::min(top_, rows.size() > page_ ? rows.size() - page_ : 0);

  int others = 0;
  for (const TopColumn& column : top_columns) {
    others += column.width + 1;
  }
  constexpr int least_writer_width = 15;
  const bool has_trend =
      terminal_.columns() >= least_name_width + others + least_writer_width + trend_width + 1;
  const int room =
      terminal_.columns() - others - least_writer_width - (has_trend ? trend_width + 1 : 0);
  const int name_width = std::clamp(room, least_name_width, 30);

  const auto mark = [this](const char* name) {
    return std::string_view(model_.order()->name) == name
               ? std::string(model_.is_descending() ? "v" : "^")
               : std::string();
  };
  std::string headings = fitted("NAME" + mark("name"), name_width, false) + " ";
  headings += has_trend ? fitted("TREND", trend_width, false) + " " : "";
  for (const TopColumn& column : top_columns) {
    std::string heading = column.heading;
    if (const std::string sign = mark(column.name); !sign.empty()) {
      const auto width = static_cast<std::size_t>(column.width);
      heading.resize(std::min(heading.size(), width == 0 ? heading.size() : width - 1));
      heading += sign;
    }
    headings += column.width == 0 ? heading : fitted(heading, column.width, true) + " ";
  }
  terminal_.put(first, 0, headings, Style::heading);
  for (std::size_t i = top_; i < rows.size() && i < top_ + page_; ++i) {
    draw_row(first + 1 + static_cast<int>(i - top_), rows[i], i == index_,
             has_trend ? name_width : -name_width);
  }
}

void Screen::draw_row(int line, const StreamRow& row, bool is_selected, int name_width) {
  const Description& description = row.description();
  std::string text = fitted(name_in_words(description), std::abs(name_width), false) + " ";
  if (description.unreadable) {
    text += description.is_dangling() ? "dangling: it is not there" : description.unreadable->why;
  } else {
    if (name_width > 0) {
      text +=
          sparkline(model_.history(description.name), trend_width, terminal_.is_unicode()) + " ";
    }
    for (std::size_t i = 0; i < top_columns.size(); ++i) {
      const Column& column = *columns_shown()[i];
      const std::string cell = column.cell(row);
      const int width = top_columns[i].width;
      text += width == 0 ? cell : fitted(cell, width, column.is_right) + " ";
    }
  }
  terminal_.put(line, 0, fitted(text, terminal_.columns(), false),
                is_selected ? Style::selected : style_of(row));
}

void Screen::draw_lines(const std::vector<std::string>& lines, int first, int last, int right) {
  const auto room = static_cast<std::size_t>(std::max(last - first, 1));
  scroll_ = std::min(scroll_, lines.size() > room ? lines.size() - room : 0);
  for (std::size_t i = 0; i < room && scroll_ + i < lines.size(); ++i) {
    const std::string& line = lines[scroll_ + i];
    terminal_.put(
        first + static_cast<int>(i), 0,
        static_cast<int>(width_of(line)) > right ? fitted(line, std::max(right, 1), false) : line);
  }
}

std::vector<std::string> Screen::detail_lines() {
  for (const Watched* watched : model_.streams()) {
    if (watched->description.name != selected_) {
      continue;
    }
    if (watched->description.unreadable) {
      return {name_in_words(watched->description), watched->description.unreadable->why};
    }
    Facts facts;
    const Stream* stream = model_.stream(selected_);
    // All of one moment, rather than the counters of now and the rest of a second ago.
    facts.description = stream == nullptr || model_.is_frozen() || !model_.scene().is_here()
                            ? watched->description
                            : describe(*stream, model_.processes());
    facts.holders = model_.holders(watched->description);
    facts.rate = watched->rate;
    const auto names = model_.names_by_inode();
    return lines_of(FactsTeller(model_.processes(), names, false).to_text(facts));
  }
  return {};
}

void Screen::draw_detail(int first, int last) {
  terminal_.put(first, 0, std::string(static_cast<std::size_t>(terminal_.columns()), '-'),
                Style::faint);
  try {
    int right = terminal_.columns();
    if (const Stream* stream = model_.stream(selected_); stream != nullptr) {
      right = draw_picture(*stream, first + 1, last);
    }
    draw_lines(detail_lines(), first + 1, last, right - 1);
  } catch (const Error& error) {  // cut short while we looked: the next look finds it so
    terminal_.put(first + 1, 0, printable(error.what()), Style::warning);
  }
}

/// At the right edge; gives the column where it begins.
int Screen::draw_picture(const Stream& stream, int first, int last) {
  const int columns = terminal_.columns();
  const int width = std::min(columns * 2 / 5, 2 * (last - first - 1));
  const int rows = last - first - 1;  // the last line says what is black and what white
  const unsigned shades = terminal_.shades();
  const bool has_shades = shades > 0;
  const View view{selected_, width, rows, cuts_};
  if (!model_.is_frozen() || view != view_) {
    picture_ = picture_of(stream, width, has_shades ? 2 * rows : rows, cuts_,
                          has_shades ? shades : static_cast<unsigned>(letters_of_shades.size()));
    view_ = view;
  }
  const auto& picture = picture_;
  if (!picture) {
    return columns;
  }
  const int left = columns - picture->width;
  const int lines = has_shades ? (picture->height + 1) / 2 : picture->height;
  // The first row of a frame is at the bottom, as FITS viewers have it.
  for (int line = 0; has_shades && line < lines; ++line) {
    for (int x = 0; x < picture->width; ++x) {
      const int upper = picture->height - 1 - 2 * line;
      terminal_.put_pixels(first + line, left + x, picture->at(x, upper),
                           upper > 0 ? picture->at(x, upper - 1) : 0);
    }
  }
  if (!has_shades) {
    int row = first;
    for (const std::string& text :
         picture_lines(picture->pixels, static_cast<std::size_t>(picture->width))) {
      terminal_.put(row++, left, text);
    }
  }
  const std::string legend = fmt::format("{:.4g} to {:.4g}", picture->low, picture->high);
  const int legend_left = std::min(left, columns - static_cast<int>(legend.size()));
  terminal_.put(first + lines, legend_left, legend, Style::faint);
  return legend_left;
}

std::vector<std::string> Screen::graph_lines() { return lines_of(to_tree(model_.graph())); }

std::vector<std::string> Screen::help_lines() {
  std::vector<std::string> lines{"Keys", ""};
  for (const KeyLine& keys : key_lines()) {
    lines.push_back(fmt::format("  {:<31} {}", keys.names, keys.meaning));
  }
  lines.insert(lines.end(),
               {"", "FLOW is bytes of pixels per second; MISS counts frames of its trigger stream",
                "that its writer did not take; RD is readers, SAT saturated semaphores."});
  return lines;
}

void Screen::draw_foot() {
  const int row = terminal_.rows() - 1;
  switch (mode_) {
    case Mode::filter:
      terminal_.put(row, 0, "filter: " + printable(typed_) + "_", Style::heading);
      return;
    case Mode::low_cut:
      terminal_.put(row, 0, "black is: " + printable(typed_) + "_", Style::heading);
      return;
    case Mode::high_cut:
      terminal_.put(row, 0, "white is: " + printable(typed_) + "_", Style::heading);
      return;
    case Mode::confirm:
      terminal_.put(row, 0, fmt::format("remove stream '{}'? y or n", printable(doomed_.name)),
                    Style::warning);
      return;
    case Mode::list:
      break;
  }
  if (!message_.empty()) {
    terminal_.put(row, 0, message_, Style::warning);
  } else {
    terminal_.put(row, 0,
                  pane_ == Pane::graph || pane_ == Pane::help
                      ? "q leave  Esc back to the list  Up Down scroll"
                      : "q leave  Enter detail  g graph  / filter  < > sort  space freeze  ? help",
                  Style::faint);
  }
}

bool Screen::handle(int key) {
  message_.clear();
  if (key == key::resize || key == key::gone) {
    return key == key::resize;
  }
  if (mode_ == Mode::confirm) {
    mode_ = Mode::list;
    if (key == 'y' || key == 'Y') {
      remove();
    }
    return true;
  }
  if (mode_ != Mode::list) {
    handle_prompt(key);
    return true;
  }
  return handle_command(key);
}

void Screen::handle_prompt(int key) {
  if (key == key::enter) {
    finish_prompt();
    return;
  }
  if (key == key::escape) {
    typed_.clear();
    if (mode_ == Mode::filter) {
      model_.set_filter("");
    }
    mode_ = Mode::list;
    return;
  }
  if (key == key::backspace) {
    remove_last_character(typed_);
  } else if (key >= ' ' && key < key::up) {
    append_character(typed_, key);
  }
  if (mode_ == Mode::filter) {
    model_.set_filter(typed_);
  }
}

void Screen::finish_prompt() {
  const Mode mode = mode_;
  mode_ = Mode::list;
  if (mode == Mode::filter) {
    return;
  }
  const auto value = parse_number<double>(typed_);
  typed_.clear();
  if (!value) {
    message_ = "that is not a number";
  } else if (mode == Mode::low_cut) {
    cuts_.low = *value;
    mode_ = Mode::high_cut;
  } else {
    cuts_.high = *value;
    cuts_.kind = Cuts::Kind::fixed;
  }
}

bool Screen::handle_command(int key) {
  const auto command = command_for(key);
  if (!command) {
    message_ = "? tells what the keys do";
    return true;
  }
  switch (*command) {
    case Command::leave:
      return false;
    case Command::previous:
      move(-1);
      break;
    case Command::next:
      move(1);
      break;
    case Command::page_up:
      move(-static_cast<int>(page_));
      break;
    case Command::page_down:
      move(static_cast<int>(page_));
      break;
    case Command::first:
      move(-static_cast<int>(count_));
      break;
    case Command::last:
      move(static_cast<int>(count_));
      break;
    case Command::sort_left:
      sort_by_neighbour(-1);
      break;
    case Command::sort_right:
      sort_by_neighbour(1);
      break;
    case Command::reverse:
      model_.sort_by(model_.order(), !model_.is_descending());
      break;
    case Command::filter:
      typed_.clear();
      model_.set_filter("");
      mode_ = Mode::filter;
      break;
    case Command::unfilter:
      model_.set_filter("");
      pane_ = Pane::none;
      break;
    case Command::freeze:
      model_.set_frozen(!model_.is_frozen());
      break;
    case Command::detail:
      toggle(Pane::detail);
      break;
    case Command::graph:
      toggle(Pane::graph);
      break;
    case Command::help:
      toggle(Pane::help);
      break;
    case Command::scroll_up:
      scroll_ -= std::min<std::size_t>(scroll_, 1);
      break;
    case Command::scroll_down:
      ++scroll_;
      break;
    case Command::change_cuts:
      cuts_.kind = cuts_.kind == Cuts::Kind::percentile ? Cuts::Kind::full : Cuts::Kind::percentile;
      message_ = cuts_.kind == Cuts::Kind::full ? "cuts: the full range"
                                                : "cuts: all but the outer hundredths";
      break;
    case Command::set_cuts:
      typed_.clear();
      mode_ = Mode::low_cut;
      break;
    case Command::remove:
      ask_to_remove();
      break;
  }
  return true;
}

void Screen::move(int by) {
  if (pane_ == Pane::graph || pane_ == Pane::help) {
    const auto to = static_cast<std::int64_t>(scroll_) + by;
    scroll_ = static_cast<std::size_t>(std::max<std::int64_t>(to, 0));
    return;
  }
  const std::vector<StreamRow> rows = model_.rows();
  if (rows.empty()) {
    return;
  }
  const auto to = static_cast<std::int64_t>(index_) + by;
  index_ = static_cast<std::size_t>(
      std::clamp<std::int64_t>(to, 0, static_cast<std::int64_t>(rows.size()) - 1));
  selected_ = rows[index_].description().name;
}

void Screen::sort_by_neighbour(int by) {
  std::vector<const char*> names{"name"};
  for (const TopColumn& column : top_columns) {
    names.push_back(column.name);
  }
  const auto found = std::find_if(names.begin(), names.end(), [this](std::string_view name) {
    return name == model_.order()->name;
  });
  const auto at = static_cast<std::size_t>(found - names.begin());
  const std::size_t next =
      (at + names.size() + static_cast<std::size_t>(by + 1) - 1) % names.size();
  // Of numbers the largest are what one looks for.
  const Column& column = column_named(names[next]);
  model_.sort_by(&column, column.is_right);
}

void Screen::toggle(Pane pane) {
  pane_ = pane_ == pane ? Pane::none : pane;
  scroll_ = 0;
}

void Screen::ask_to_remove() {
  // What is on the screen now, whatever has its name, or its place in the list, when the answer
  // comes.
  struct stat status {};
  if (!model_.scene().is_here()) {
    message_ = "a stream of another host can only be looked at";
    return;
  }
  if (selected_.empty() ||
      ::lstat(stream_path(model_.scene().name(), selected_).c_str(), &status) != 0) {
    message_ = "there is no stream to delete";
    return;
  }
  doomed_ = {selected_, {status.st_dev, status.st_ino}};
  mode_ = Mode::confirm;
}

void Screen::remove() {
  const std::filesystem::path path = stream_path(model_.scene().name(), doomed_.name);
  try {
    message_ =
        remove_stream(path, doomed_.identity)
            ? fmt::format("removed {}", printable(path.string()))
            : fmt::format("{}: was removed or re-created meanwhile", printable(doomed_.name));
  } catch (const Error& error) {
    message_ = printable(error.what());
  }
}

}  // namespace shmim::tools
