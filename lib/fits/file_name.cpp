#include "fits/file_name.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "fits/text.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim::fits {
namespace {

/// A number in decimal digits only.
std::optional<int> digits(std::string_view text) {
  return text.starts_with('-') ? std::nullopt : parse_number<int>(text);
}

bool is_section(std::string_view text) {
  return text.find_first_of("*:,") != text.npos &&
         text.find_first_not_of("0123456789*:,- ") == text.npos;
}

bool is_filter(std::string_view text) {
  constexpr std::string_view operators = "=<>!&|()@;'\"#$";
  const auto begins = [text](std::string_view word) { return text.starts_with(word); };
  return text.find_first_of(operators) != text.npos || begins("col ") || begins("bin ") ||
         begins("pix ") || begins("hist ") || begins("compress ");
}

/// Reads the text of one bracket after the other.
class Brackets {
 public:
  Brackets(const std::string& file, FileName& name) : file_(file), name_(name) {}

  void add(std::string_view text) {
    if (text.empty()) {
      refuse(text, "names nothing; give an HDU or an image section");
    } else if (!name_.section.empty()) {
      refuse(text, "stands after the image section, which must be the last");
    } else if (is_section(text)) {
      add_section(text);
    } else if (is_filter(text)) {
      refuse(text, "is a filter, and files are read as they are; give an HDU or an image section");
    } else if (!std::holds_alternative<FileName::FirstImage>(name_.hdu)) {
      refuse(text, "is a second HDU");
    } else {
      add_hdu(text);
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view text, std::string_view why) const {
    throw Error(Problem::usage, file_, fmt::format("[{}] {}", text, why));
  }

  void add_section(std::string_view text) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view part = take(rest, ',');
      const std::optional<Range> range = parse_range(part);
      if (!range) {
        refuse(text,
               fmt::format("is not an image section: \"{}\" is not first:last, counted from 1, "
                           "nor * for a whole axis",
                           part));
      }
      name_.section.push_back(*range);
    }
  }

  void add_hdu(std::string_view text) {
    if (const std::optional<int> number = digits(text)) {
      name_.hdu = FileName::Number{*number};
      return;
    }
    std::string_view rest = text;
    const std::string_view hdu = take(rest, ',');
    const std::optional<int> version = rest.empty() ? 0 : digits(trimmed(rest));
    if (hdu.empty() || !version) {
      refuse(text, "is no HDU; give its number, its EXTNAME, or EXTNAME,EXTVER");
    }
    name_.hdu = FileName::Name{std::string(hdu), *version};
  }

  const std::string& file_;
  FileName& name_;
};

}  // namespace

FileName parse_file_name(const std::string& file) {
  const std::size_t directory = file.rfind('/');
  const std::size_t bracket = file.find('[', directory == file.npos ? 0 : directory);
  std::error_code ignored;
  if (bracket == file.npos || std::filesystem::exists(file, ignored)) {
    return FileName{file, {}, {}};
  }
  FileName name{file.substr(0, bracket), {}, {}};
  Brackets brackets(file, name);
  for (std::string_view rest = std::string_view(file).substr(bracket); !rest.empty();) {
    const std::size_t close = rest.find(']');
    if (rest.front() != '[' || close == rest.npos) {
      throw Error(Problem::usage, file,
                  fmt::format("\"{}\" is not [HDU] nor [image section]", rest));
    }
    brackets.add(trimmed(rest.substr(1, close - 1)));
    rest.remove_prefix(close + 1);
  }
  return name;
}

}  // namespace shmim::fits
