#include "common/print/csv.hpp"

#include <nlohmann/json.hpp>

namespace shmim::tools {

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string cell = "\"";
  for (const char character : text) {
    cell += character == '"' ? "\"\"" : std::string(1, character);
  }
  return cell + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  bool is_first = true;
  for (const std::string& cell : cells) {
    line += (is_first ? "" : ",") + csv_cell(cell);
    is_first = false;
  }
  return line + "\n";
}

std::string csv_text(const Record& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
}

std::string csv_names(const Record& record) {
  std::vector<std::string> cells;
  for (const auto& [name, value] : record.items()) {
    cells.push_back(name);
  }
  return csv_line(cells);
}

std::string csv_values(const Record& record) {
  std::vector<std::string> cells;
  for (const auto& [name, value] : record.items()) {
    cells.push_back(csv_text(value));
  }
  return csv_line(cells);
}

}  // namespace shmim::tools
