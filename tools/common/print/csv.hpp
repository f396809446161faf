#pragma once

#include <string>
#include <vector>

#include "common/print/json.hpp"

namespace shmim::tools {

/// A cell of RFC 4180: in quotes where it must be, and a quote is two.
std::string csv_cell(const std::string& text);
/// Cells as a line.
std::string csv_line(const std::vector<std::string>& cells);
/// What a cell shows of a value: nothing where it is null.
std::string csv_text(const Record& value);
/// The names of a record as a line, and its values.
std::string csv_names(const Record& record);
std::string csv_values(const Record& record);

}  // namespace shmim::tools
