#include "common/print/columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/io/exit.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

using Row = StreamRow;

const layout::Metadata& header(const Row& row) { return row.description().header; }

/// Values and texts of what only a readable stream has.
template <auto value>
Record if_readable(const Row& row) {
  return row.description().unreadable ? Record() : Record(value(row));
}

std::optional<Seconds> age(const Row& row) {
  const auto since = row.description().age(row.description().written);
  return since ? std::optional(Seconds(*since)) : std::nullopt;
}

Record processes_of(const std::vector<Process>& processes) {
  Record list = Record::array();
  for (const Process& process : processes) {
    list.push_back(to_json(process));
  }
  return list;
}

const char* clock_name(StampClock clock) noexcept {
  switch (clock) {
    case StampClock::tai:
      return "TAI";
    case StampClock::utc:
      return "UTC";
    case StampClock::same:
      return "TAI=UTC";
    case StampClock::unknown:
      break;
  }
  return "TAI?";
}

std::string time_text(Tai stamp, const Row& row) { return to_utc(stamp, row.description().clock); }

/// Those that have a value only where there was a second look.
template <auto value>
Record if_measured(const Row& row) {
  return row.description().unreadable || !row.is_measured ? Record() : Record(value(row));
}

template <auto stamp>
Record time_value(const Row& row) {
  return time_text((row.description().*stamp)(), row);
}

template <auto process>
Record process_value(const Row& row) {
  return to_json(row.description().*process);
}
template <auto process>
std::string process_text(const Row& row) {
  return in_words(row.description().*process);
}

template <auto field>
Record field_value(const Row& row) {
  return header(row).*field;
}

template <auto field>
Record rate_value(const Row& row) {
  return to_json(row.watched->rate.*field);
}
template <auto field>
std::string rate_text(const Row& row) {
  const auto& duration = row.watched->rate.*field;
  return duration ? in_words(*duration) : "-";
}

Record holders_value(const Row& row) {
  if (row.holders == nullptr) {
    return {};
  }
  std::vector<Process> processes;
  for (const pid_t pid : row.holders->processes) {
    processes.push_back(row.processes->look_up(pid));
  }
  return {{"processes", processes_of(processes)}, {"unknown", row.holders->unknown.size()}};
}

using D = Description;
using M = layout::Metadata;

constexpr std::array all_columns{
    Column{"name", "name", "name of the stream", false,
           [](const Row& row) { return Record(row.description().name); }, nullptr},
    Column{"target", "target", "what a link says; its name is another of the stream it leads to",
           false,
           [](const Row& row) {
             const auto& target = row.description().target;
             return target ? Record(*target) : Record();
           },
           nullptr},
    Column{"path", "path", "path of the file", false,
           [](const Row& row) { return Record(row.description().path.string()); }, nullptr},
    Column{"state", "state", "whole, being written, unfinished (the writer died), or no stream",
           false, [](const Row& row) { return Record(state_of(row.description())); }, nullptr},
    Column{"type", "datatype", "type of the elements", false,
           if_readable<[](const Row& row) { return to_string(row.description().format.type); }>,
           nullptr},
    Column{"size", "size", "length of each axis, the fastest first", false,
           if_readable<[](const Row& row) { return to_json(row.description().format.shape); }>,
           [](const Row& row) { return to_string(row.description().format.shape); }},
    Column{"cnt0", "cnt0", "frames ever published", true, if_readable<field_value<&M::cnt0>>,
           nullptr},
    Column{"cnt1", "cnt1", "plane written last, of a circular stream", true,
           if_readable<field_value<&M::cnt1>>, nullptr},
    Column{"cnt2", "cnt2", "counter of the readers that synchronise by it", true,
           if_readable<field_value<&M::cnt2>>, nullptr},
    Column{"rate", "rate",
           "frames per second, by cnt0 and the write times, or the looks where there are none",
           true, if_measured<[](const Row& row) {
             const auto& hertz = row.watched->rate.hertz;
             return hertz ? Record(*hertz) : Record();
           }>,
           [](const Row& row) { return rate_in_words(row.watched->rate.hertz); }, true},
    Column{"throughput", "throughput", "bytes of pixels per second; as text in millions", true,
           if_measured<[](const Row& row) {
             const auto bytes = row.watched->bytes_per_second();
             return bytes ? Record(*bytes) : Record();
           }>,
           [](const Row& row) {
             const auto bytes = row.watched->bytes_per_second();
             return bytes ? fmt::format("{:.{}f}MB/s", *bytes / 1e6, *bytes < 1e7 ? 3 : 1) : "-";
           },
           true},
    Column{"age", "age", "time since the last frame was written; in JSON in seconds", true,
           if_readable<[](const Row& row) { return to_json(age(row)); }>,
           [](const Row& row) { return in_words(*age(row)); }},
    Column{"jitter", "jitter",
           "root mean square distance of the write times from those of a regular writer", true,
           if_measured<rate_value<&Rate::jitter>>, rate_text<&Rate::jitter>, true},
    Column{"missed", "missed",
           "frames of its trigger stream that its writer has not taken, since the first look", true,
           if_measured<[](const Row& row) {
             return row.watched->missed ? Record(*row.watched->missed) : Record();
           }>,
           nullptr, true},
    Column{"bytes", "bytes", "bytes of the file", true,
           [](const Row& row) {
             return row.description().is_dangling() ? Record()
                                                    : Record(row.description().file_bytes);
           },
           nullptr},
    Column{"array", "imdatamemsize", "bytes of the array", true,
           if_readable<field_value<&M::imdatamemsize>>, nullptr},
    Column{"writer", "writer", "who wrote the newest frame", false,
           if_readable<process_value<&D::writer>>, process_text<&D::writer>},
    Column{"creator", "creator", "who made the stream", false,
           if_readable<process_value<&D::creator>>, process_text<&D::creator>},
    Column{"owner", "owner", "whose stream it is", false, if_readable<process_value<&D::owner>>,
           process_text<&D::owner>},
    Column{"claimer", "claimer", "who has claimed to be its only writer", false,
           if_readable<process_value<&D::claimer>>, process_text<&D::claimer>},
    Column{"readers", "readers", "living processes that have claimed a semaphore", true,
           if_readable<[](const Row& row) { return processes_of(row.description().readers()); }>,
           [](const Row& row) { return std::to_string(row.description().readers().size()); }},
    Column{"holders", "holders",
           "processes that have it open or mapped, and those that we may not look into", true,
           holders_value,
           [](const Row& row) {
             const Holders& holders = *row.holders;
             return fmt::format(
                 "{}{}", holders.processes.size(),
                 holders.unknown.empty() ? "" : fmt::format("+{}?", holders.unknown.size()));
           }},
    Column{"semaphores", "sem", "semaphores that it has", true, if_readable<field_value<&M::sem>>,
           nullptr},
    Column{"saturated", "saturated",
           "full semaphores, which nobody reads and writers no longer post", true,
           if_readable<[](const Row& row) { return row.description().saturated(); }>, nullptr},
    Column{"keywords-used", "keywords_used", "keywords that are set", true,
           if_readable<[](const Row& row) { return row.description().keywords.size(); }>, nullptr},
    Column{"keywords", "NBkw", "keyword slots", true, if_readable<field_value<&M::nb_kw>>, nullptr},
    Column{"circular-buffer", "CBsize", "frames of the circular buffer", true,
           if_readable<field_value<&M::cb_size>>, nullptr},
    Column{"written", "writetime", "when the last frame was written, UTC", false,
           if_readable<[](const Row& row) {
             const bool is_unknown = row.description().written == never && header(row).cnt0 != 0;
             return is_unknown ? Record() : Record(time_text(row.description().written, row));
           }>,
           nullptr},
    Column{"acquired", "atime", "when its data was acquired, UTC", false,
           if_readable<time_value<&D::acquired>>, nullptr},
    Column{"created", "creationtime", "when the stream was made, UTC", false,
           if_readable<time_value<&D::created>>, nullptr},
    Column{"imagetype", "imagetype", "image type, bits", true,
           if_readable<field_value<&M::imagetype>>,
           [](const Row& row) { return fmt::format("{:#x}", header(row).imagetype); }},
    Column{"location", "location", "the GPU that has the array; -1 in CPU memory", true,
           if_readable<field_value<&M::location>>, nullptr},
    Column{"inode", "inode", "of the file that the stream was made in; traces know it by this",
           true, if_readable<field_value<&M::inode>>, nullptr},
    Column{"file-inode", "file_inode", "of the file; another than inode where it is a copy", true,
           [](const Row& row) {
             const ino_t inode = row.description().identity.inode;
             return inode == 0 ? Record() : Record(inode);
           },
           nullptr},
    Column{"version", "version", "version of the layout", false,
           if_readable<[](const Row& row) { return layout::text_of(header(row).version); }>,
           nullptr},
    Column{"header-name", "header_name", "the name that the stream was made under", false,
           if_readable<[](const Row& row) { return layout::text_of(header(row).name); }>, nullptr},
    Column{"axes", "naxis", "number of axes", true, if_readable<field_value<&M::naxis>>, nullptr},
    Column{"elements", "nelement", "number of elements of a frame", true,
           if_readable<field_value<&M::nelement>>, nullptr},
    Column{"accessed", "lastaccesstime", "when it was last accessed, by what its writers say, UTC",
           false, if_readable<[](const Row& row) {
             return time_text(to_tai(header(row).lastaccesstime), row);
           }>,
           nullptr},
    Column{"clock", "clock", "clock that its times are of: TAI, UTC, or not known: TAI?", false,
           if_readable<[](const Row& row) { return clock_name(row.description().clock); }>,
           nullptr},
    Column{"tai-offset", "tai_offset", "seconds that TAI is ahead of UTC, by the kernel", true,
           [](const Row&) { return Record(tai_offset().count()); }, nullptr},
    Column{"creator-pid", "creatorPID", "creator, as the header has it", true,
           if_readable<field_value<&M::creator_pid>>, nullptr},
    Column{"owner-pid", "ownerPID", "owner, as the header has it: 1 is nobody", true,
           if_readable<field_value<&M::owner_pid>>, nullptr},
    Column{"shared", "shared", "1 where it is in shared memory", true,
           if_readable<field_value<&M::shared>>, nullptr},
    Column{"status", "status", "1 to be logged, 2 to be logged no more, 0 neither", true,
           if_readable<field_value<&M::status>>, nullptr},
    Column{"flag", "flag", "flag that loggers use", true, if_readable<field_value<&M::flag>>,
           nullptr},
    Column{"logflag", "logflag", "another flag that loggers use", true,
           if_readable<field_value<&M::logflag>>, nullptr},
    Column{"write", "write", "1 while a frame is written", true,
           if_readable<field_value<&M::write>>, nullptr},
    Column{"trace", "NBproctrace", "steps that the trace has room for", true,
           if_readable<field_value<&M::nb_proctrace>>, nullptr},
    Column{"buffer-index", "CBindex", "slot of the circular buffer that was written last", true,
           if_readable<field_value<&M::cb_index>>, nullptr},
    Column{"buffer-cycle", "CBcycle", "times that the circular buffer has wrapped", true,
           if_readable<field_value<&M::cb_cycle>>, nullptr},
};

/// What columns were called once.
constexpr std::array renamed_columns{std::pair{"slots", "keywords"},
                                     std::pair{"buffer", "circular-buffer"}};

}  // namespace

std::string Column::heading() const {
  std::string capitals = name;
  std::transform(capitals.begin(), capitals.end(), capitals.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return capitals;
}

std::string Column::cell(const StreamRow& row) const {
  const Record content = value(row);
  if (content.is_null()) {
    return "-";
  }
  if (text != nullptr) {
    return text(row);
  }
  return content.is_string() ? printable(content.get<std::string>()) : content.dump();
}

namespace {

/// Where a value stands among those of its column: numbers by themselves, sizes by elements, lists
/// by length, processes by PID.
double rank_of(const Record& value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value.is_array() && !value.empty() && value.front().is_number()) {
    return std::accumulate(value.begin(), value.end(), 1.0, [](double product, const Record& axis) {
      return product * axis.get<double>();
    });
  }
  if (value.is_array()) {
    return static_cast<double>(value.size());
  }
  if (value.is_object()) {
    return value.contains("pid") ? value["pid"].get<double>()
                                 : static_cast<double>(value["processes"].size());
  }
  return 0;
}

}  // namespace

void sort_rows(std::vector<StreamRow>& rows, const Column& by, bool reverse) {
  // Values are made once for each row, and not for each comparison.
  struct Keyed {
    StreamRow row;
    bool has_value;
    double number;
    std::string text;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(rows.size());
  for (const StreamRow& row : rows) {
    const Record value = by.value(row);
    keyed.push_back(
        {row, !value.is_null(), rank_of(value), value.is_string() ? by.cell(row) : std::string()});
  }
  const auto is_less = [](const Keyed& a, const Keyed& b) {
    return std::tie(a.has_value, a.number, a.text) < std::tie(b.has_value, b.number, b.text);
  };
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    return reverse ? is_less(b, a) : is_less(a, b);
  });
  std::transform(keyed.begin(), keyed.end(), rows.begin(),
                 [](const Keyed& entry) { return entry.row; });
}

std::span<const Column> stream_columns() noexcept { return all_columns; }

const Column* find_column(std::string_view name) noexcept {
  const auto* found = std::find_if(all_columns.begin(), all_columns.end(),
                                   [name](const Column& column) { return column.name == name; });
  return found == all_columns.end() ? nullptr : found;
}

bool needs_measuring(const Columns& columns) noexcept {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column* column) { return column->is_measured; });
}

Columns parse_columns(const std::string& option, const std::string& list) {
  Columns chosen;
  std::string_view rest = list;
  while (true) {
    const std::string_view name = rest.substr(0, rest.find(','));
    const Column* column = find_column(name);
    if (column == nullptr) {
      for (const auto& [old, now] : renamed_columns) {
        if (name == old) {
          throw UsageError(fmt::format("{}: the column {} is now {}", option, old, now));
        }
      }
      std::string names;
      for (const Column& known : all_columns) {
        names += fmt::format(" {}", known.name);
      }
      throw UsageError(
          fmt::format("{}: there is no column '{}'; the columns are{}", option, name, names));
    }
    chosen.push_back(column);
    if (name.size() == rest.size()) {
      return chosen;
    }
    rest.remove_prefix(name.size() + 1);
  }
}

std::string to_json_line(const Columns& columns, const StreamRow& row, const std::string& time) {
  Record record;
  if (!time.empty()) {
    record["time"] = time;
  }
  for (const Column* column : columns) {
    record[column->key] = column->value(row);
  }
  if (row.description().unreadable) {
    record["state"] = state_of(row.description());
    record["why"] = row.description().unreadable->why;
  }
  return to_json_line(record);
}

std::string to_text(const Columns& columns, const std::vector<StreamRow>& rows, Table table,
                    bool headings) {
  std::vector<bool> right;
  std::vector<std::vector<std::string>> cells;
  if (headings) {
    cells.emplace_back();
  }
  for (const Column* column : columns) {
    right.push_back(column->is_right);
    if (headings) {
      cells.front().push_back(column->heading());
    }
  }
  for (const StreamRow& row : rows) {
    const Description& description = row.description();
    auto& line = cells.emplace_back();
    if (table == Table::told && description.unreadable) {
      line = {name_in_words(description), description.is_dangling() ? "dangling: it is not there"
                                                                    : description.unreadable->why};
      continue;
    }
    for (const Column* column : columns) {
      line.push_back(column->cell(row));
    }
    if (table == Table::told) {
      line.front() = name_in_words(description);
    }
  }
  return cells.empty() ? std::string() : to_table(cells, columns.size(), right);
}

}  // namespace shmim::tools
