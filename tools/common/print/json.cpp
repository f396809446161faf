#include "common/print/json.hpp"

#include <algorithm>

#include <fmt/args.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <shmim/clock.hpp>
#include <shmim/text.hpp>

#include "common/io/exit.hpp"

namespace {
/// A date, as text.
struct Date {
  std::string text;
};
/// A value that is not known. A format that would suit it, as {latency:.3f}, is passed over.
struct Unknown {};
}  // namespace

template <>
struct fmt::formatter<Unknown> {
  static constexpr const char* parse(const fmt::format_parse_context& context) {
    return std::find(context.begin(), context.end(), '}');
  }
  static fmt::format_context::iterator format(Unknown /*value*/, fmt::format_context& context) {
    return fmt::format_to(context.out(), "null");
  }
};

template <>
struct fmt::formatter<Date> : fmt::formatter<std::string> {
  constexpr auto parse(fmt::format_parse_context& context) {
    constexpr std::string_view unix_word = "unix";
    const std::string_view rest(context.begin(), context.end());
    is_unix_ = rest.starts_with(unix_word);
    if (is_unix_) {
      context.advance_to(context.begin() + unix_word.size());
    }
    return fmt::formatter<std::string>::parse(context);
  }
  auto format(const Date& date, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(is_unix_ ? unix_text(date.text) : date.text,
                                               context);
  }

 private:
  /// `never` and `out of range` stay as they are.
  static std::string unix_text(const std::string& text) {
    return text.ends_with('Z') ? shmim::unix_seconds(shmim::parse_utc(text)) : text;
  }
  bool is_unix_ = false;
};

namespace shmim::tools {
namespace {

void add_field(fmt::dynamic_format_arg_store<fmt::format_context>& fields, const std::string& name,
               const Record& value) {
  if (value.is_number_unsigned()) {
    fields.push_back(fmt::arg(name.c_str(), value.get<std::uint64_t>()));
  } else if (value.is_number_integer()) {
    fields.push_back(fmt::arg(name.c_str(), value.get<std::int64_t>()));
  } else if (value.is_number_float()) {
    fields.push_back(fmt::arg(name.c_str(), value.get<double>()));
  } else if (value.is_null()) {
    fields.push_back(fmt::arg(name.c_str(), Unknown()));
  } else if (name.ends_with("time")) {
    fields.push_back(fmt::arg(name.c_str(), Date{value.get<std::string>()}));
  } else {
    fields.push_back(fmt::arg(
        name.c_str(), value.is_string() ? printable(value.get<std::string>()) : value.dump()));
  }
}

}  // namespace

std::string to_json_line(const Record& record) {
  return record.dump(-1, ' ', false, Record::error_handler_t::replace) + "\n";
}

std::string render(const std::string& text, const Record& record, const KeywordLookup& keyword) {
  fmt::dynamic_format_arg_store<fmt::format_context> fields;
  std::string names;
  for (const auto& [name, value] : record.items()) {
    names += name + " ";
    add_field(fields, name, value);
  }
  // {fmt} has no dots in its names: keywords go by their number.
  std::string numbered;
  std::size_t keywords = 0;
  for (std::string_view rest = text; !rest.empty();) {
    constexpr std::string_view begin = "{kw.";
    if (rest.starts_with("{{") || rest.starts_with("\\\\")) {
      numbered += rest.front() == '{' ? "{{" : "\\";
      rest.remove_prefix(2);
    } else if (rest.starts_with("\\t") || rest.starts_with("\\n")) {
      numbered += rest[1] == 't' ? '\t' : '\n';
      rest.remove_prefix(2);
    } else if (rest.starts_with(begin)) {
      rest.remove_prefix(begin.size());
      const std::string_view name = rest.substr(0, rest.find_first_of(":}"));
      rest.remove_prefix(name.size());
      const std::string field = fmt::format("kw{}", keywords++);
      add_field(fields, field, keyword(std::string(name)));
      numbered += "{" + field;
    } else {
      numbered += rest.front();
      rest.remove_prefix(1);
    }
  }
  try {
    return fmt::vformat(numbered, fields) + "\n";
  } catch (const fmt::format_error& error) {
    throw UsageError(
        fmt::format("--print '{}': {}; the fields are {}kw.NAME", text, error.what(), names));
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (std::string_view rest = text;;) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    for (const char character : printable(line)) {
      out += character == '"' || character == '\\' ? "\\" : "";
      out += character;
    }
    if (line.size() == rest.size()) {
      return out + "\"";
    }
    out += "\\n";
    rest.remove_prefix(line.size() + 1);
  }
}

std::size_t width_of(std::string_view text) {
  // {fmt} adds blanks up to a width that no text of so many bytes is above.
  return 2 * text.size() - fmt::formatted_size("{:{}}", text, text.size());
}

std::string_view beginning_of(std::string_view text, std::size_t width) {
  // To {fmt} that is how many characters, each of which may be wide.
  std::string_view beginning = text.substr(0, fmt::formatted_size("{:.{}}", text, width));
  while (width_of(beginning) > width) {
    while ((static_cast<unsigned char>(beginning.back()) & 0xC0U) == 0x80U) {
      beginning.remove_suffix(1);
    }
    beginning.remove_suffix(1);
  }
  return beginning;
}

std::string to_table(const std::vector<std::vector<std::string>>& rows) {
  return to_table(rows, rows.front().size(), {});
}

std::string to_table(const std::vector<std::vector<std::string>>& rows, std::size_t columns,
                     const std::vector<bool>& right) {
  std::vector<std::size_t> widths(columns);
  for (const auto& row : rows) {
    const std::size_t whole = row.size() < columns ? row.size() - 1 : columns;
    for (std::size_t column = 0; column < whole; ++column) {
      widths[column] = std::max(widths[column], width_of(row[column]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      const std::string& cell = row[column];
      const bool is_last = column + 1 == row.size();
      const bool is_loose = is_last && row.size() < columns;
      const bool is_right = column < right.size() && right[column] && !is_loose;
      const std::string blanks(is_loose ? 0 : widths[column] - width_of(cell), ' ');
      text += (is_right ? blanks : "") + cell + (is_right || is_last ? "" : blanks) +
              (is_last ? "\n" : "  ");
    }
  }
  return text;
}

}  // namespace shmim::tools
