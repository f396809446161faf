#include "shmim/reference.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "shmim/element.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

bool is_number_after(char letter, std::string_view text) noexcept {
  return text.size() > 1 && text.front() == letter &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Reads a reference from left to right.
class ReferenceParser {
 public:
  explicit ReferenceParser(std::string_view text) noexcept : text_(text), rest_(text) {}

  Reference parse() {
    reference_.text = text_;
    parse_address();
    parse_modifiers();
    parse_prefix();
    parse_name();
    parse_brackets();
    return reference_;
  }

 private:
  void parse_address() {
    Addressed addressed = split_address(text_);
    reference_.address = std::move(addressed.address);
    rest_ = addressed.rest;
    if (reference_.address && rest_.empty()) {
      const std::string address = to_string(*reference_.address);
      reject(fmt::format("no stream is named behind the address: {}/NAME", address));
    }
  }

  void parse_modifiers() {
    if (!rest_.starts_with('@')) {
      return;
    }
    const std::size_t before = text_.size() - rest_.size();
    const std::size_t colon = rest_.find(':');
    if (colon == std::string_view::npos) {
      reject("no colon after the modifiers: write @S:NAME");
    }
    if (colon == 1) {
      reject("an empty modifier list @: (write letters of S L E N between @ and :)");
    }
    for (std::size_t i = 1; i < colon; ++i) {
      take_modifier(rest_[i], before + i + 1, rest_.substr(1, i - 1));
    }
    if (reference_.address && reference_.location == Location::local) {
      reject("modifier L is of this process, and no other host has its memory");
    }
    rest_.remove_prefix(colon + 1);
  }

  void take_modifier(char letter, std::size_t column, std::string_view before) {
    if (before.find(letter) != std::string_view::npos) {
      reject(fmt::format("modifier {} stands twice, at column {}", letter, column));
    }
    switch (letter) {
      case 'S':
      case 'L':
        if (reference_.location != Location::any) {
          reject(fmt::format("modifiers L and S exclude one another (column {})", column));
        }
        reference_.location = letter == 'S' ? Location::shared : Location::local;
        return;
      case 'E':
      case 'N':
        if (reference_.existence != Existence::any) {
          reject(fmt::format("modifiers E and N exclude one another (column {})", column));
        }
        reference_.existence = letter == 'E' ? Existence::must_exist : Existence::must_be_new;
        return;
      case 'F':
        reject(
            fmt::format("there is no modifier F (column {}); conf FITS files are found without a "
                        "modifier",
                        column));
      case 's':
      case 'l':
      case 'e':
      case 'n':
        reject(fmt::format("there is no modifier {} (column {}): modifiers are capital letters",
                           letter, column));
      default:
        reject(fmt::format("there is no modifier {} (column {}): there are S L E N",
                           printable(std::string_view(&letter, 1)), column));
    }
  }

  void parse_prefix() {
    for (std::size_t end = prefix_end(); end != std::string_view::npos; end = prefix_end()) {
      const std::string_view name = rest_.substr(0, end);
      const auto type = parse_legacy_prefix(name);
      if (!type) {
        reject_prefix(name);
      }
      if (reference_.type) {
        reject("the type stands twice");
      }
      reference_.type = type;
      rest_.remove_prefix(end + 1);
    }
  }

  /// Where a '>' is that ends a prefix: before the slice, if there is one.
  [[nodiscard]] std::size_t prefix_end() const noexcept {
    const std::size_t end = rest_.find('>');
    return end < rest_.find('[') ? end : std::string_view::npos;
  }

  [[noreturn]] void reject_prefix(std::string_view name) const {
    if (name == "s") {
      reject("the prefix s> was removed: shared memory is the default, and @S:NAME says so aloud");
    }
    if (is_number_after('k', name)) {
      reject(fmt::format("the prefix {}> was removed: use the option --keywords {}", name,
                         name.substr(1)));
    }
    if (is_number_after('c', name)) {
      reject(fmt::format("the prefix {}> was removed: use the option --circular-buffer {}", name,
                         name.substr(1)));
    }
    std::string known;
    for (const DataType type : data_types()) {
      known += fmt::format("{}{}>", known.empty() ? "" : " ", legacy_prefix(type));
    }
    reject(fmt::format("there is no type prefix {}>; the types are {}", printable(name), known));
  }

  void parse_name() {
    const std::size_t end = std::min(rest_.find('['), rest_.size());
    reference_.name = rest_.substr(0, end);
    if (const auto why = name_error(reference_.name)) {
      reject(*why);
    }
    rest_.remove_prefix(end);
  }

  void parse_brackets() {
    if (rest_.empty()) {
      return;
    }
    const std::size_t end = rest_.find(']');
    if (end == std::string_view::npos) {
      reject("no closing ] after the slice");
    }
    if (end + 1 != rest_.size()) {
      reject(fmt::format("text after ], at column {}", column() + end + 1));
    }
    try {
      reference_.slice = parse_slice(rest_.substr(1, end - 1), column() + 1);
    } catch (const Error& error) {
      reject(error.what());
    }
  }

  [[nodiscard]] std::size_t column() const noexcept { return text_.size() - rest_.size() + 1; }

  [[noreturn]] void reject(std::string_view why) const {
    throw Error(Problem::usage, std::string(text_), fmt::format("not a stream reference: {}", why));
  }

  std::string_view text_;
  std::string_view rest_;
  Reference reference_;
};

}  // namespace

std::optional<std::string> name_error(std::string_view name) {
  if (name.empty()) {
    return "an empty name";
  }
  if (name.size() >= layout::name_bytes) {
    return fmt::format("a name of {} bytes: at most {} fit", name.size(), layout::name_bytes - 1);
  }
  if (name == "." || name == "..") {
    return fmt::format("{} is not a name", name);
  }
  for (const char character : name) {
    if (character == ' ') {
      return "a blank in the name";
    }
    if (static_cast<unsigned char>(character) < ' ' || character == '\x7F') {
      return "a control character in the name";
    }
    if (std::string_view("/@>[]:").find(character) != std::string_view::npos) {
      return fmt::format("{} in the name", character);
    }
  }
  return std::nullopt;
}

Reference parse_reference(std::string_view text) { return ReferenceParser(text).parse(); }

void require_of_this_host(const Reference& reference) {
  if (reference.address) {
    throw Error(Problem::usage, reference.text,
                "is a stream of another host, which can only be looked at: shmim-receive makes it "
                "one of this host");
  }
}

}  // namespace shmim
