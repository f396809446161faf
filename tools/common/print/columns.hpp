#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

/// A stream as a table shows it.
struct StreamRow {
  const Watched* watched = nullptr;
  bool is_measured = false;          ///< its rate is known: it was looked at more than once
  const Holders* holders = nullptr;  ///< nothing where nobody asked
  ProcessTable* processes = nullptr;

  [[nodiscard]] const Description& description() const noexcept { return watched->description; }
};

/// A fact about a stream: tables, JSON, metrics and manual pages tell it as it stands here.
struct Column {
  const char* name = nullptr;     ///< for --columns and --sort; in capitals, its heading
  const char* key = nullptr;      ///< in JSON; as in the header of a stream where it stands there
  const char* meaning = nullptr;  ///< for the manual page and for metrics
  bool is_right = false;          ///< aligned right, as numbers are
  Record (*value)(const StreamRow& row) = nullptr;  ///< null where there is none
  /// As text, where that is not the value as it is.
  std::string (*text)(const StreamRow& row) = nullptr;
  bool is_measured = false;  ///< it has no value before a second look

  [[nodiscard]] std::string heading() const;
  [[nodiscard]] std::string cell(const StreamRow& row) const;
};

using Columns = std::vector<const Column*>;

std::span<const Column> stream_columns() noexcept;
/// The column of that name, or null.
const Column* find_column(std::string_view name) noexcept;
/// Sorts rows by a column: numbers as numbers, lists by their length, what has no value first.
void sort_rows(std::vector<StreamRow>& rows, const Column& by, bool reverse);
/// Those of a list like `name,cnt0`. Throws UsageError, naming those there are.
Columns parse_columns(const std::string& option, const std::string& list);

/// True if one of them has no value before a second look.
bool needs_measuring(const Columns& columns) noexcept;

/// One object for a row: the columns' values, and for what is not a stream the reason; before them
/// the time, if one is given.
std::string to_json_line(const Columns& columns, const StreamRow& row,
                         const std::string& time = {});
/// How a table is written.
enum class Table {
  told,   ///< names with what links lead to; a file that is not a readable stream is the reason why
  plain,  ///< cells and nothing else, for whoever chose the columns
};
std::string to_text(const Columns& columns, const std::vector<StreamRow>& rows, Table table,
                    bool headings);

}  // namespace shmim::tools
