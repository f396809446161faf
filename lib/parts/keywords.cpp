#include "shmim/keywords.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "shmim/clock.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

using layout::KeywordSlot;

constexpr std::size_t value_bytes = sizeof(KeywordSlot::value);

template <std::size_t N>
std::array<char, N> padded(const std::string& text) {
  std::array<char, N> bytes{};
  std::copy_n(text.begin(), std::min(text.size(), N), bytes.begin());
  return bytes;
}

bool is_used(char type) noexcept { return type == 'L' || type == 'D' || type == 'S'; }

struct SlotCopy {
  std::array<char, 16> name{};
  char type = 'N';
  std::array<std::uint64_t, 2> value{};
  std::array<char, 80> comment{};
};

SlotCopy copy_of(const KeywordSlot& slot) noexcept {
  return {layout::load(slot.name),
          layout::load(slot.type),
          {layout::load(slot.value[0]), layout::load(slot.value[1])},
          layout::load(slot.comment)};
}

/// A slot of zeros ends the list: what stands behind it is what a longer list has left.
bool is_end(const SlotCopy& slot) noexcept { return slot.type == 0 && slot.name[0] == 0; }

/// How long a slot may be busy without a change before its writer must have been killed there:
/// setting a keyword takes less than a microsecond.
constexpr std::chrono::milliseconds stuck_after{20};
/// How long to try for a slot that somebody alters all the time.
constexpr std::chrono::milliseconds restless_after{200};

/// Reads a slot until it is as one writer left it. Where a writer was killed in the middle, or
/// never comes to rest, its parts as they are.
class SlotReader {
 public:
  explicit SlotReader(const KeywordSlot& slot) noexcept : slot_(&slot) { attempt(); }
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  [[nodiscard]] const SlotCopy& copy() const noexcept { return copy_; }
  /// Nobody has touched the slot since it was read.
  [[nodiscard]] bool is_current() const noexcept { return layout::load(slot_->cnt) == copied_; }
  void attempt() noexcept {
    const std::uint64_t before = layout::keyword_count(*slot_);
    copied_ = before;
    copy_ = copy_of(*slot_);
    layout::finish_copy();
    const bool is_busy = (before & layout::keyword_busy) != 0;
    const bool is_same = layout::load(slot_->cnt) == before;
    is_done_ = is_same && !is_busy;
    if (!is_done_) {
      const auto now = std::chrono::steady_clock::now();
      if (count_ != before) {
        count_ = before;
        since_ = now;
      }
      is_done_ = (is_busy && now - since_ > stuck_after) || now - begin_ > restless_after;
    }
  }

 private:
  const KeywordSlot* slot_;
  SlotCopy copy_;
  bool is_done_ = false;
  std::uint64_t copied_ = 0;  ///< the count that the copy was begun at
  std::uint64_t count_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point since_ = begin_;
};

/// Every slot up to the end of the list, whole, and all as they were at one moment: closing up
/// moves keywords from slot to slot. Those that are busy are waited for together: a table full of
/// slots whose writers were killed takes no longer than one.
std::vector<SlotCopy> read_list(std::span<const KeywordSlot> slots) {
  std::vector<SlotReader> readers;
  readers.reserve(slots.size());
  for (const KeywordSlot& slot : slots) {
    readers.emplace_back(slot);
  }
  const Deadline deadline = deadline_after(restless_after);
  const auto is_waiting = [](const SlotReader& reader) { return !reader.is_done(); };
  const auto is_outdated = [](const SlotReader& reader) { return !reader.is_current(); };
  while (
      std::ranges::any_of(readers, is_waiting) ||
      (std::ranges::any_of(readers, is_outdated) && std::chrono::steady_clock::now() < *deadline)) {
    std::this_thread::yield();
    for (SlotReader& reader : readers) {
      if (!reader.is_done() || !reader.is_current()) {
        reader.attempt();
      }
    }
  }
  std::vector<SlotCopy> copies;
  for (const SlotReader& reader : readers) {
    if (is_end(reader.copy())) {
      break;
    }
    copies.push_back(reader.copy());
  }
  return copies;
}

std::optional<Keyword> keyword_of(const SlotCopy& slot) {
  if (!is_used(slot.type)) {
    return std::nullopt;
  }
  Keyword keyword{layout::text_of(slot.name), {}, layout::text_of(slot.comment)};
  if (slot.type == 'L') {
    keyword.value = static_cast<std::int64_t>(slot.value[0]);
  } else if (slot.type == 'D') {
    keyword.value = std::bit_cast<double>(slot.value[0]);
  } else {
    keyword.value = layout::text_of(std::bit_cast<std::array<char, value_bytes>>(slot.value));
  }
  return keyword;
}

/// Marks all of them busy, so that nobody reads or writes them before they are done with. Waits for
/// others who are writing them, for all at once.
void occupy(std::span<KeywordSlot> slots) {
  std::vector<std::pair<KeywordSlot*, SlotReader>> others;
  for (KeywordSlot& slot : slots) {
    if (!layout::begin_keyword(slot)) {
      others.emplace_back(&slot, SlotReader(slot));
    }
  }
  while (!others.empty()) {
    std::this_thread::yield();
    std::erase_if(others, [](auto& other) {
      other.second.attempt();
      return other.second.is_done() || layout::begin_keyword(*other.first);
    });
  }
}

void occupy(KeywordSlot& slot) noexcept {
  if (!layout::begin_keyword(slot)) {
    for (SlotReader other(slot); !other.is_done() && !layout::begin_keyword(slot);
         other.attempt()) {
      std::this_thread::yield();
    }
  }
}

/// Of a slot that is occupied.
void store(KeywordSlot& slot, const SlotCopy& content, bool keep_comment = false) noexcept {
  layout::store(slot.name, content.name);
  layout::store(slot.value[0], content.value[0]);
  layout::store(slot.value[1], content.value[1]);
  if (!keep_comment) {
    layout::store(slot.comment, content.comment);
  }
  layout::store(slot.type, content.type);
}

enum class Occupant { none, same, other };

Occupant occupant_of(const KeywordSlot& slot, const SlotCopy& content) noexcept {
  return !is_used(layout::load(slot.type))         ? Occupant::none
         : layout::load(slot.name) == content.name ? Occupant::same
                                                   : Occupant::other;
}

/// False where another keyword has come to stand there meanwhile: nothing is written then.
bool write_slot(KeywordSlot& slot, const SlotCopy& content, bool keep_comment) noexcept {
  occupy(slot);
  const Occupant occupant = occupant_of(slot, content);
  if (occupant != Occupant::other) {
    store(slot, content, keep_comment && occupant == Occupant::same);
  }
  layout::end_keyword(slot);
  return occupant != Occupant::other;
}

/// Writes the slot of zeros behind a list.
void end_list(KeywordSlot& slot) noexcept {
  if (!is_end(copy_of(slot))) {
    SlotCopy end;
    end.type = 0;
    occupy(slot);
    store(slot, end);
    layout::end_keyword(slot);
  }
}

/// Where the keyword stands, else the first unused slot; null where there is none.
KeywordSlot* slot_for(const SlotCopy& content, std::span<KeywordSlot> slots) noexcept {
  KeywordSlot* unused = nullptr;
  for (KeywordSlot& slot : slots) {
    const Occupant occupant = occupant_of(slot, content);
    if (occupant == Occupant::same) {
      return &slot;
    }
    if (occupant == Occupant::none && unused == nullptr) {
      unused = &slot;
    }
    if (is_end(copy_of(slot))) {
      break;
    }
  }
  return unused;
}

SlotCopy content_of(const Keyword& keyword) {
  SlotCopy content;
  content.name = padded<16>(keyword.name);
  content.comment = padded<80>(keyword.comment);
  if (const auto* integer = std::get_if<std::int64_t>(&keyword.value)) {
    content.type = 'L';
    content.value = {static_cast<std::uint64_t>(*integer), 0};
  } else if (const auto* real = std::get_if<double>(&keyword.value)) {
    content.type = 'D';
    content.value = {std::bit_cast<std::uint64_t>(*real), 0};
  } else {
    content.type = 'S';
    content.value = std::bit_cast<std::array<std::uint64_t, 2>>(
        padded<value_bytes>(std::get<std::string>(keyword.value)));
  }
  return content;
}

/// A number as people write it: a sign of + is one too.
template <class Number>
std::optional<Number> number(std::string_view text) {
  const bool has_plus = text.size() > 1 && text.front() == '+' && text[1] != '-';
  return parse_number<Number>(text.substr(has_plus ? 1 : 0));
}

[[noreturn]] void reject(std::string_view assignment, std::string_view why) {
  throw Error(Problem::usage, "", fmt::format("keyword '{}': {}", printable(assignment), why));
}

/// The value of `'text'...` and what follows the closing quote.
std::string unquote(std::string_view assignment, std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (true) {
    const std::size_t quote = rest.find('\'');
    if (quote == std::string_view::npos) {
      reject(assignment, "the closing ' is missing");
    }
    value += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('\'')) {
      return value;
    }
    value += '\'';
    rest.remove_prefix(1);
  }
}

}  // namespace

std::string to_string(const Keyword& keyword) {
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, keyword.value);
}

std::optional<std::string> keyword_error(const Keyword& keyword) {
  if (keyword.name.empty()) {
    return "it has no name";
  }
  if (keyword.name.size() > sizeof(KeywordSlot::name)) {
    return fmt::format("name of {} bytes, at most {} fit", keyword.name.size(),
                       sizeof(KeywordSlot::name));
  }
  const auto* text = std::get_if<std::string>(&keyword.value);
  if (text != nullptr && text->size() > value_bytes) {
    return fmt::format("string of {} bytes, at most {} fit", text->size(), value_bytes);
  }
  const auto holds_nul = [](const std::string& part) { return part.find('\0') != part.npos; };
  if (holds_nul(keyword.name) || holds_nul(keyword.comment) ||
      (text != nullptr && holds_nul(*text))) {
    return "it holds a NUL character";
  }
  if (keyword.comment.size() > sizeof(KeywordSlot::comment)) {
    return fmt::format("comment of {} bytes, at most {} fit", keyword.comment.size(),
                       sizeof(KeywordSlot::comment));
  }
  return std::nullopt;
}

std::optional<std::string> unterminated_part(const Keyword& keyword) {
  const auto* text = std::get_if<std::string>(&keyword.value);
  const auto part = [](std::string_view what, std::size_t bytes) {
    return fmt::format("{} of {} bytes", what, bytes);
  };
  return keyword.name.size() == sizeof(KeywordSlot::name)
             ? std::optional(part("name", sizeof(KeywordSlot::name)))
         : text != nullptr && text->size() == value_bytes
             ? std::optional(part("string", value_bytes))
         : keyword.comment.size() == sizeof(KeywordSlot::comment)
             ? std::optional(part("comment", sizeof(KeywordSlot::comment)))
             : std::nullopt;
}

namespace {

/// The type that is asked for, or the first that can hold the text.
std::variant<std::int64_t, double, std::string> parse_value(std::string_view assignment,
                                                            std::string_view text,
                                                            std::optional<char> type) {
  if (type.value_or('L') == 'L') {
    if (const auto integer = number<std::int64_t>(text)) {
      return *integer;
    }
  }
  if (type.value_or('D') == 'D') {
    if (const auto real = number<double>(text)) {
      return *real;
    }
  }
  if (type.value_or('S') != 'S') {
    reject(assignment,
           fmt::format("'{}' is not {}", text, *type == 'L' ? "an integer" : "a number"));
  }
  return std::string(text);
}

}  // namespace

Keyword parse_keyword(std::string_view assignment, std::optional<char> type) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    reject(assignment, "it is written NAME=VALUE or NAME=VALUE/comment");
  }
  Keyword keyword;
  keyword.name = assignment.substr(0, equals);
  for (const char character : keyword.name) {
    if (static_cast<unsigned char>(character) < ' ' || character == '\x7F') {
      reject(assignment, "its name holds a control character");
    }
  }
  if (keyword.name.starts_with(' ') || keyword.name.ends_with(' ')) {
    reject(assignment, "its name begins or ends with a blank");
  }
  std::string_view rest = assignment.substr(equals + 1);
  if (rest.starts_with('\'')) {
    if (type.value_or('S') != 'S') {
      reject(assignment, "what stands in quotes is a string");
    }
    keyword.value = unquote(assignment, rest);
    if (!rest.empty() && !rest.starts_with('/')) {
      reject(assignment, "only /comment may follow the closing '");
    }
  } else {
    const std::string_view value = rest.substr(0, rest.find('/'));
    rest.remove_prefix(value.size());
    keyword.value = parse_value(assignment, value, type);
  }
  if (!rest.empty()) {
    keyword.comment = rest.substr(1);
  }
  if (const auto why = keyword_error(keyword)) {
    reject(assignment, *why);
  }
  return keyword;
}

std::vector<Keyword> Keywords::all() const {
  std::vector<Keyword> keywords;
  for (const SlotCopy& slot : read_list(slots_)) {
    if (auto keyword = keyword_of(slot)) {
      keywords.push_back(*std::move(keyword));
    }
  }
  return keywords;
}

std::optional<Keyword> Keywords::find(std::string_view name) const {
  for (const SlotCopy& slot : read_list(slots_)) {
    if (auto keyword = keyword_of(slot); keyword && keyword->name == name) {
      return keyword;
    }
  }
  return std::nullopt;
}

bool Keywords::wait(std::string_view name,
                    const std::variant<std::int64_t, double, std::string>& value,
                    std::chrono::nanoseconds timeout) const {
  constexpr std::chrono::milliseconds interval{5};
  const Deadline deadline = deadline_after(timeout);
  while (true) {
    if (const auto keyword = find(name); keyword && keyword->value == value) {
      return true;
    }
    const auto moment = std::chrono::steady_clock::now();
    if (moment >= *deadline) {
      return false;
    }
    std::this_thread::sleep_until(std::min(*deadline, moment + interval));
  }
}

void Keywords::throw_other_kind(const Keyword& keyword) const {
  throw Error(Problem::mismatch, subject(),
              fmt::format("keyword '{}' is {}, which is not of the type asked for", keyword.name,
                          to_string(keyword)));
}

void Keywords::set(std::span<const Keyword> keywords) const {
  KeywordWriter writer(*this, {keywords.begin(), keywords.end()});
  writer.prepare();
  writer.write();
}

void Keywords::set(const Keyword& keyword) const { set(std::span(&keyword, 1)); }

void Keywords::require_writable() const {
  if (!writable_) {
    throw Error(Problem::not_ours_to_write, subject(),
                "keywords cannot be written: the stream is read-only");
  }
}

void Keywords::require_settable(const Keyword& keyword) const {
  require_writable();
  if (const auto why = keyword_error(keyword)) {
    throw Error(Problem::usage, subject(), fmt::format("keyword '{}': {}", keyword.name, *why));
  }
}

void Keywords::throw_full(const Keyword& keyword) const {
  throw Error(Problem::failed, subject(),
              fmt::format("keyword '{}': all {} slots are in use", keyword.name, slots_.size()));
}

bool Keywords::erase(std::string_view name) const {
  require_writable();
  const auto stays = [name](const SlotCopy& slot) {
    return is_used(slot.type) && layout::text_of(slot.name) != name;
  };
  const std::vector<SlotCopy> list = read_list(slots_);
  const auto first = std::ranges::find_if_not(list, stays);
  const auto tail =
      slots_.first(list.size()).subspan(static_cast<std::size_t>(first - list.begin()));
  // Others may have written since the list was read; nobody does while the slots are occupied.
  // Who is killed in the middle leaves a keyword twice, and none is lost.
  occupy(tail);
  bool was_there = false;
  auto kept = tail.begin();
  for (const KeywordSlot& slot : tail) {
    const SlotCopy copy = copy_of(slot);
    if (stays(copy)) {
      store(*kept++, copy);
    } else {
      was_there = was_there || is_used(copy.type);
    }
  }
  for (; kept != tail.end(); ++kept) {
    store(*kept, SlotCopy{});
  }
  std::ranges::for_each(tail, layout::end_keyword);
  return was_there;
}

KeywordWriter::KeywordWriter(Keywords table, std::vector<Keyword> keywords)
    : table_(std::move(table)), keywords_(std::move(keywords)) {
  for (const Keyword& keyword : keywords_) {
    table_.require_settable(keyword);
  }
}

bool KeywordWriter::is_prepared() const noexcept {
  if (places_.size() != keywords_.size()) {
    return false;
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const KeywordSlot& slot = *places_[i];
    if (!is_used(layout::load(slot.type)) ||
        layout::load(slot.name) != padded<sizeof(slot.name)>(keywords_[i].name)) {
      return false;
    }
  }
  return true;
}

void KeywordWriter::prepare() {
  if (is_prepared()) {
    return;
  }
  const std::vector<SlotCopy> list = read_list(table_.slots_);
  std::vector<std::optional<std::string>> names(list.size());  // nullopt: unused
  for (std::size_t index = 0; index < list.size(); ++index) {
    if (is_used(list[index].type)) {
      names[index] = layout::text_of(list[index].name);
    }
  }
  places_.clear();
  for (const Keyword& keyword : keywords_) {
    auto place = std::find(names.begin(), names.end(), keyword.name);
    if (place == names.end()) {
      place = std::find(names.begin(), names.end(), std::nullopt);
    }
    if (place == names.end() && names.size() < table_.slots_.size()) {
      // The list grows by the slot that ended it: the next one does from now on.
      if (names.size() + 1 < table_.slots_.size()) {
        end_list(table_.slots_[names.size() + 1]);
      }
      place = names.emplace(names.end());
    }
    if (place == names.end()) {
      places_.clear();
      table_.throw_full(keyword);
    }
    *place = keyword.name;
    places_.push_back(&table_.slots_[static_cast<std::size_t>(place - names.begin())]);
  }
}

void KeywordWriter::write() const noexcept {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const SlotCopy content = content_of(keywords_[i]);
    const bool keep_comment = keywords_[i].comment.empty();
    KeywordSlot* slot = places_[i];
    while (slot != nullptr && !write_slot(*slot, content, keep_comment)) {
      slot = slot_for(content, table_.slots_);
    }
  }
}

}  // namespace shmim
