#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace shmim::tools {

/// What a tool tells of one stream or event: named values, in order. Whoever makes or reads one
/// includes <nlohmann/json.hpp>.
using Record = nlohmann::ordered_json;

/// One JSON object on one line. Bytes that are no UTF-8 are replaced.
std::string to_json_line(const Record& record);

/// Gives the value of a keyword, or null.
using KeywordLookup = std::function<Record(const std::string& name)>;

/// `text` with every {name} replaced by that value, {kw.NAME} by that of a keyword, and \t, \n and
/// \\ by what they are. A format may follow, as in `{cnt0:08}`; of a time `unix`: seconds since
/// 1970. What is not known is null whatever the format. Throws UsageError for a field there is none
/// of.
std::string render(const std::string& text, const Record& record, const KeywordLookup& keyword);

/// A string of Graphviz's language, its lines below one another.
std::string quoted(const std::string& text);

/// Rows of cells as lines of text, in columns that are as wide as they must be.
std::string to_table(const std::vector<std::vector<std::string>>& rows);
/// The same with some columns aligned right. A row of fewer cells than there are columns ends with
/// what may be of any length.
std::string to_table(const std::vector<std::vector<std::string>>& rows, std::size_t columns,
                     const std::vector<bool>& right);

/// Columns that a text fills on a terminal: a wide character, as of Chinese, fills two.
std::size_t width_of(std::string_view text);
/// The beginning of a text, as much of it as goes into so many columns.
std::string_view beginning_of(std::string_view text, std::size_t width);

}  // namespace shmim::tools
