#include "record.hpp"

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

}  // namespace shmim::tools
