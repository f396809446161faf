#include "record.hpp"

#include <algorithm>

#include <fmt/args.h>
#include <fmt/format.h>

#include "tool.hpp"

namespace shmim::tools {

std::string to_json_line(const Record& record) {
  return record.dump(-1, ' ', false, Record::error_handler_t::replace) + "\n";
}

std::string render(const std::string& text, const Record& record) {
  fmt::dynamic_format_arg_store<fmt::format_context> fields;
  std::string names;
  for (const auto& [name, value] : record.items()) {
    names += (names.empty() ? "" : " ") + name;
    if (value.is_number_unsigned()) {
      fields.push_back(fmt::arg(name.c_str(), value.get<std::uint64_t>()));
    } else if (value.is_number_integer()) {
      fields.push_back(fmt::arg(name.c_str(), value.get<std::int64_t>()));
    } else if (value.is_number_float()) {
      fields.push_back(fmt::arg(name.c_str(), value.get<double>()));
    } else {
      fields.push_back(fmt::arg(
          name.c_str(), value.is_string() ? printable(value.get<std::string>()) : value.dump()));
    }
  }
  try {
    return fmt::vformat(text, fields) + "\n";
  } catch (const fmt::format_error& error) {
    throw UsageError(fmt::format("--print '{}': {}; the fields are {}", text, error.what(), names));
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char character : printable(text)) {
    out += character == '"' ? "\\\"" : std::string(1, character);
  }
  return out + "\"";
}

std::string to_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t column = 0; column + 1 < row.size(); ++column) {
      text += fmt::format("{:<{}}  ", row[column], widths[column]);
    }
    text += row.back() + "\n";
  }
  return text;
}

}  // namespace shmim::tools
