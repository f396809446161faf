#include "top/metrics.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace shmim::tools {
namespace {

struct Metric {
  const char* name;
  const char* type;
  const char* unit;  ///< null where it is a plain number
  const char* fact;  ///< the column that it is
};

/// Of a list it is the length.
std::optional<double> number_of(const Record& value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value.is_array()) {
    return static_cast<double>(value.size());
  }
  return std::nullopt;
}

constexpr std::array metrics{
    Metric{"shmim_stream_frames", "counter", nullptr, "cnt0"},
    Metric{"shmim_stream_rate_hertz", "gauge", "hertz", "rate"},
    Metric{"shmim_stream_age_seconds", "gauge", "seconds", "age"},
    Metric{"shmim_stream_jitter_seconds", "gauge", "seconds", "jitter"},
    Metric{"shmim_stream_missed_frames", "gauge", "frames", "missed"},
    Metric{"shmim_stream_file_bytes", "gauge", "bytes", "bytes"},
    Metric{"shmim_stream_readers", "gauge", nullptr, "readers"},
    Metric{"shmim_stream_saturated_semaphores", "gauge", "semaphores", "saturated"},
};

/// Quotes, backslashes and ends of lines are escaped; printable() has left only the first two.
std::string label(const std::string& text) {
  std::string out;
  for (const char character : printable(text)) {
    if (character == '"' || character == '\\') {
      out += '\\';
    }
    out += character;
  }
  return out;
}

}  // namespace

std::string to_metrics(const std::vector<StreamRow>& rows, MetricsFormat format) {
  std::string text;
  const bool is_open = format == MetricsFormat::openmetrics;
  const auto begin = [&](std::string_view name, const char* type, const char* unit,
                         const char* help) {
    text += fmt::format("# TYPE {} {}\n", name, type);
    if (is_open && unit != nullptr) {
      text += fmt::format("# UNIT {} {}\n", name, unit);
    }
    text += fmt::format("# HELP {} {}\n", name, help);
  };
  const auto add = [&](std::string_view name, const StreamRow& row, double value) {
    text += fmt::format("{}{{stream=\"{}\"}} {}\n", name, label(row.description().name), value);
  };
  begin("shmim_stream_readable", "gauge", nullptr, "1 for a stream, 0 for a file that is not one");
  for (const StreamRow& row : rows) {
    add("shmim_stream_readable", row, row.description().unreadable ? 0 : 1);
  }
  begin("shmim_stream_writer_alive", "gauge", nullptr, "1 where its last writer lives");
  for (const StreamRow& row : rows) {
    if (!row.description().unreadable) {
      add("shmim_stream_writer_alive", row, row.description().writer.is_dead() ? 0 : 1);
    }
  }
  begin("shmim_stream_last_write_timestamp_seconds", "gauge", "seconds",
        "when the last frame was written, since 1970 in UTC");
  for (const StreamRow& row : rows) {
    const Description& description = row.description();
    if (!description.unreadable && is_date(description.written)) {
      text += fmt::format("shmim_stream_last_write_timestamp_seconds{{stream=\"{}\"}} {}\n",
                          label(description.name),
                          unix_seconds(on_tai(description.written, description.clock)));
    }
  }
  for (const Metric& metric : metrics) {
    const Column& fact = *find_column(metric.fact);
    const std::string_view total = std::string_view(metric.type) == "counter" ? "_total" : "";
    // Of a counter OpenMetrics describes the family, and Prometheus the sample.
    begin(fmt::format("{}{}", metric.name, is_open ? "" : total), metric.type, metric.unit,
          fact.meaning);
    for (const StreamRow& row : rows) {
      if (const auto value = number_of(fact.value(row)); value && !row.description().unreadable) {
        add(fmt::format("{}{}", metric.name, total), row, *value);
      }
    }
  }
  return text + (is_open ? "# EOF\n" : "");
}

}  // namespace shmim::tools
