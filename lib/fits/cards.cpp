#include "fits/cards.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "fits/frame.hpp"
#include "shmim/error.hpp"

namespace shmim::fits {
namespace {

using cfitsio::Functions;

constexpr std::size_t short_name_bytes = 8;

/// One card, in a buffer as cfitsio's parsers ask for it.
struct Card {
  std::array<char, FLEN_CARD> text{};

  Card() = default;
  explicit Card(std::string_view content) {
    std::copy_n(content.begin(), std::min(content.size(), card_bytes), text.begin());
  }
  [[nodiscard]] std::string_view view() const { return text.data(); }
  [[nodiscard]] bool begins(std::string_view start) const { return view().starts_with(start); }
  /// Without "= " a card is a comment, whatever its name. (Trailing blanks are not there.)
  [[nodiscard]] bool has_value() const {
    return view().find("= ") == short_name_bytes ||
           view().substr(std::min(view().size(), short_name_bytes)) == "=" ||
           (begins("HIERARCH ") && view().find('=') != std::string_view::npos);
  }
};

std::string name_of(Card& card) {
  std::array<char, FLEN_CARD> name{};
  int length = 0;
  cfitsio::attempt(&Functions::fits_get_keyname, card.text.data(), name.data(), &length);
  return name.data();
}

/// True for what describes the file and not what it shows: it is not a keyword, coming or going.
bool is_structural(Card& card, std::string_view name) {
  switch (cfitsio::functions().fits_get_keyclass(card.text.data())) {
    case TYP_STRUC_KEY:
    case TYP_SCAL_KEY:
    case TYP_NULL_KEY:
    case TYP_CKSUM_KEY:
    case TYP_COMM_KEY:
    case TYP_CONT_KEY:
      return true;
    default:
      return name == "INHERIT" || name == "LONGSTRN";
  }
}

/// True for EXTNAME and its like.
bool is_name_of_hdu(Card& card) {
  return cfitsio::functions().fits_get_keyclass(card.text.data()) == TYP_HDUID_KEY;
}

/// True for what a tile-compressed image adds. Elsewhere ZSCALE, say, may be anybody's keyword.
bool is_compression(Card& card, std::string_view name) {
  return cfitsio::functions().fits_get_keyclass(card.text.data()) == TYP_CMPRS_KEY ||
         name == "ZHECKSUM" || name == "ZDATASUM";
}

/// The text between the quotes of a value; trailing blanks mean nothing in FITS.
std::string unquoted(std::string_view quoted) {
  quoted.remove_prefix(1);
  quoted.remove_suffix(1);
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    text += quoted[i];
    i += quoted[i] == '\'' ? 1 : 0;
  }
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

bool is_quoted(std::string_view value) {
  return value.size() >= 2 && value.front() == '\'' && value.back() == '\'';
}

/// Goes through the cards of a header and sorts them.
class Reader {
 public:
  Reader(const cfitsio::File& file, bool keeps_blank) : file_(file), keeps_blank_(keeps_blank) {}

  Header read() {
    read_hdu();
    if (const int number = file_.hdu(); inherits_ && number != 1) {
      file_.call(&Functions::fits_movabs_hdu, 1, nullptr);
      is_inherited_ = true;
      keeps_blank_ = false;
      own_values_ = std::exchange(first_values_, {});
      read_hdu();
      file_.call(&Functions::fits_movabs_hdu, number, nullptr);
    }
    return std::move(header_);
  }

 private:
  struct Value {
    std::string text;
    std::string comment;
    bool valid;
  };

  Card peek() const {
    Card card;
    file_.call(&Functions::fits_read_record, next_, card.text.data());
    return card;
  }
  Card take() {
    const Card card = peek();
    ++next_;
    return card;
  }

  void read_hdu() {
    compressed_ = file_.is_compressed();
    int more = 0;
    file_.call(&Functions::fits_get_hdrspace, &count_, &more);
    for (next_ = 1; next_ <= count_;) {
      Card card = take();
      std::string name = name_of(card);
      if (name == "INHERIT") {
        inherits_ = parse(card).text == "T";
      } else if (card.has_value() && !is_skipped(card, name)) {
        read_keyword(card, std::move(name));
      }
    }
  }

  bool is_skipped(Card& card, const std::string& name) const {
    if (is_inherited_ && (own_values_.contains(name) || is_name_of_hdu(card))) {
      return true;
    }
    const bool is_kept = keeps_blank_ && name == "BLANK";
    return (is_structural(card, name) && !is_kept) || (compressed_ && is_compression(card, name));
  }

  static Value parse(Card& card) {
    std::array<char, FLEN_CARD> value{};
    std::array<char, FLEN_CARD> comment{};
    const int status = cfitsio::attempt(&Functions::fits_parse_value, card.text.data(),
                                        value.data(), comment.data());
    return {value.data(), comment.data(), status == 0};
  }

  void read_keyword(Card& card, std::string name) {
    Value value = parse(card);
    Keyword keyword{std::move(name), {}, std::move(value.comment)};
    if (is_again(keyword.name, value.text)) {
      return;
    }
    if (!value.valid) {
      refuse(keyword, "value that cannot be read");
    } else if (value.text.empty()) {
      refuse(keyword, "undefined value");
    } else if (value.text.front() == '(') {
      refuse(keyword, "complex value");
    } else if (is_quoted(value.text)) {
      keyword.value = continued(unquoted(value.text), keyword.comment);
      add(std::move(keyword));
    } else if (value.text == "T" || value.text == "F") {
      keyword.value = std::int64_t{value.text == "T" ? 1 : 0};
      add(std::move(keyword));
    } else {
      read_number(std::move(keyword), value.text);
    }
  }

  /// True of a further card of one name, which is named unless it says the same.
  bool is_again(const std::string& name, const std::string& value) {
    const auto [first, is_new] = first_values_.try_emplace(name, value);
    if (!is_new && first->second != value) {
      header_.unfit.push_back(fmt::format("{} (stands there again, as {})", name, value));
    }
    return !is_new;
  }

  /// A string that ends in '&' goes on in the CONTINUE cards that follow.
  std::string continued(std::string text, std::string& comment) {
    while (text.ends_with('&') && next_ <= count_ && peek().begins("CONTINUE")) {
      // The value is where others have it, but no "= " is: as another card cfitsio's parser reads
      // it.
      constexpr std::string_view indicator = "STRING  = ";
      const Card more = take();
      Card card(fmt::format("{}{}", indicator,
                            more.view().substr(std::min(more.view().size(), indicator.size()))));
      const Value value = parse(card);
      if (!is_quoted(value.text)) {
        break;
      }
      text.pop_back();
      text += unquoted(value.text);
      if (!value.comment.empty()) {
        comment += (comment.empty() ? "" : " ") + value.comment;
      }
    }
    return text;
  }

  void read_number(Keyword keyword, std::string text) {
    // FITS writes "+1" and "1.0D3", which from_chars does not read.
    text.erase(0, text.front() == '+' ? 1 : 0);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == 'D' || c == 'd'; }, 'E');
    if (text.find_first_not_of("-0123456789") == text.npos) {
      read_as<std::int64_t>(std::move(keyword), text, "integer of more than 64 bits");
    } else {
      read_as<double>(std::move(keyword), text, "number outside the range of a double");
    }
  }

  template <class Number>
  void read_as(Keyword keyword, const std::string& text, std::string_view out_of_range) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::result_out_of_range) {
      refuse(keyword, out_of_range);
    } else if (error != std::errc{} || stop != end) {
      refuse(keyword, "value that cannot be read");
    } else {
      keyword.value = number;
      add(std::move(keyword));
    }
  }

  void add(Keyword keyword) {
    if (std::optional<FrameInfo> frame = header_.frame; take_frame_keyword(keyword, frame)) {
      header_.frame = is_inherited_ ? header_.frame : frame;
    } else if (const std::optional<std::string> why = keyword_error(keyword)) {
      refuse(keyword, *why);
    } else if (header_.keywords.size() == UINT16_MAX) {
      refuse(keyword, fmt::format("a stream has at most {} keywords", UINT16_MAX));
    } else {
      header_.keywords.push_back(std::move(keyword));
    }
  }
  void refuse(const Keyword& keyword, std::string_view why) {
    header_.unfit.push_back(fmt::format("{} ({})", keyword.name, why));
  }

  const cfitsio::File& file_;
  bool keeps_blank_;
  bool compressed_ = false;
  bool inherits_ = false;
  bool is_inherited_ = false;  ///< what is read now is of the primary HDU
  int count_ = 0;
  int next_ = 1;
  Header header_;
  std::map<std::string, std::string> first_values_;  ///< by name
  std::map<std::string, std::string> own_values_;    ///< of the HDU that inherits
};

/// FITS headers are printable ASCII.
bool is_printable_ascii(char c) { return c >= ' ' && c <= '~'; }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_printable_ascii);
}

std::string ascii(std::string text, char substitute) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return !is_printable_ascii(c); }, substitute);
  return text;
}

constexpr std::string_view comment_mark = " / ";
std::string comment_part(const Keyword& keyword) {
  return std::string(comment_mark) + ascii(keyword.comment, '?');
}

bool is_standard_name(std::string_view name) {
  return name.size() <= short_name_bytes && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

/// The name and the "= " after it. HIERARCH takes names that are long or in small letters.
std::string name_part(const std::string& name) {
  if (is_standard_name(name)) {
    return fmt::format("{:<8}= ", name);
  }
  std::string written = ascii(name, '_');
  std::replace(written.begin(), written.end(), '=', '_');
  for (char* const edge : {&written.front(), &written.back()}) {
    *edge = *edge == ' ' ? '_' : *edge;
  }
  return fmt::format("HIERARCH {} = ", written);
}

/// The shortest text that reads as this double again, with the point that makes it no integer.
std::string real(double value) {
  if (!std::isfinite(value)) {
    return {};
  }
  std::string text = fmt::format("{}", value);
  if (text.find('.') == text.npos) {
    text.insert(std::min(text.find('e'), text.size()), ".0");
  }
  std::replace(text.begin(), text.end(), 'e', 'E');
  return text;
}

/// True of a number that an image of this type may have in the file for a pixel.
bool is_stored(std::int64_t value, DataType type) {
  switch (type) {
    case DataType::uint8:
    case DataType::int8:
      return std::in_range<std::uint8_t>(value);
    case DataType::uint16:
    case DataType::int16:
      return std::in_range<std::int16_t>(value);
    case DataType::uint32:
    case DataType::int32:
      return std::in_range<std::int32_t>(value);
    case DataType::uint64:
    case DataType::int64:
      return true;
    default:
      return false;
  }
}

std::string in_quotes(std::string_view value) {
  std::string text;
  for (const char c : ascii(std::string(value), '?')) {
    text.append(c == '\'' ? 2 : 1, c);
  }
  return fmt::format("'{:<8}'", text);
}

std::string value_part(const Keyword& keyword) {
  if (const auto* integer = std::get_if<std::int64_t>(&keyword.value)) {
    return fmt::format("{:>20}", *integer);
  }
  if (const auto* number = std::get_if<double>(&keyword.value)) {
    return fmt::format("{:>20}", real(*number));
  }
  return fmt::format("{:<20}", in_quotes(std::get<std::string>(keyword.value)));
}

}  // namespace

Header read_header(const cfitsio::File& file, bool keeps_blank) {
  return Reader(file, keeps_blank).read();
}

std::optional<std::string> why_left_out(const Keyword& keyword, DataType type) {
  if (keyword.name.empty()) {
    return "it has no name";
  }
  const std::string text = name_part(keyword.name) + value_part(keyword);
  Card card(text);
  if (keyword.name == "BLANK" && std::holds_alternative<std::int64_t>(keyword.value) &&
      is_stored(std::get<std::int64_t>(keyword.value), type)) {
    return std::nullopt;
  }
  if (is_structural(card, keyword.name)) {
    return "FITS gives the name a meaning of its own";
  }
  if (text.size() > card_bytes) {
    return fmt::format("name and value take {} bytes, a card has {}", text.size(), card_bytes);
  }
  return std::nullopt;
}

std::string make_card(const Keyword& keyword) {
  std::string text = name_part(keyword.name) + value_part(keyword);
  if (!keyword.comment.empty()) {
    text += comment_part(keyword);
  }
  return text.substr(0, card_bytes);
}

std::optional<std::string> why_altered(const Keyword& keyword, DataType type) {
  if (std::optional<std::string> why = why_left_out(keyword, type)) {
    return why;
  }
  if (const auto* number = std::get_if<double>(&keyword.value);
      number != nullptr && !std::isfinite(*number)) {
    return "its value is not a finite number";
  }
  const auto* value = std::get_if<std::string>(&keyword.value);
  if (!is_ascii(keyword.name) || !is_ascii(keyword.comment) ||
      (value != nullptr && !is_ascii(*value))) {
    return "it is not in printable ASCII";
  }
  const std::size_t before = name_part(keyword.name).size() + value_part(keyword).size();
  if (!keyword.comment.empty() && before + comment_part(keyword).size() > card_bytes) {
    const std::size_t room = card_bytes - before;
    return fmt::format("comment of {} bytes, {} fit in its card", keyword.comment.size(),
                       room - std::min(room, comment_mark.size()));
  }
  return std::nullopt;
}

}  // namespace shmim::fits
