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
  const char* fact;  ///< the column that it is, if it is one
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

/// Writes one metric after the other.
class Scrape {
 public:
  explicit Scrape(MetricsFormat format) : is_open_(format == MetricsFormat::openmetrics) {}

  /// A line for each stream that `value_of` gives a number for, as text.
  template <class ValueOf>
  void add(const Metric& metric, const char* help, const std::vector<StreamRow>& rows,
           const ValueOf& value_of) {
    // Of a counter OpenMetrics describes the family, and Prometheus the sample.
    const std::string_view total = std::string_view(metric.type) == "counter" ? "_total" : "";
    const std::string family = fmt::format("{}{}", metric.name, is_open_ ? "" : total);
    text_ += fmt::format("# TYPE {} {}\n", family, metric.type);
    if (is_open_ && metric.unit != nullptr) {
      text_ += fmt::format("# UNIT {} {}\n", family, metric.unit);
    }
    text_ += fmt::format("# HELP {} {}\n", family, help);
    for (const StreamRow& row : rows) {
      if (const std::optional<std::string> value = value_of(row)) {
        text_ += fmt::format("{}{}{{stream=\"{}\"}} {}\n", metric.name, total,
                             label(row.description().name), *value);
      }
    }
  }
  [[nodiscard]] std::string text() const { return text_ + (is_open_ ? "# EOF\n" : ""); }

 private:
  std::string text_;
  bool is_open_;
};

std::string one_if(bool is_so) { return is_so ? "1" : "0"; }

std::optional<std::string> writer_alive(const StreamRow& row) {
  const Description& description = row.description();
  return description.unreadable ? std::nullopt
                                : std::optional(one_if(!description.writer.is_dead()));
}

std::optional<std::string> last_write(const StreamRow& row) {
  const Description& description = row.description();
  return description.unreadable || !is_date(description.written)
             ? std::nullopt
             : std::optional(unix_seconds(on_tai(description.written, description.clock)));
}

}  // namespace

std::string to_metrics(const std::vector<StreamRow>& rows, MetricsFormat format) {
  Scrape scrape(format);
  scrape.add({"shmim_stream_readable", "gauge", nullptr, nullptr},
             "1 for a stream, 0 for a file that is not one", rows, [](const StreamRow& row) {
               return std::optional(one_if(!row.description().unreadable));
             });
  scrape.add({"shmim_stream_writer_alive", "gauge", nullptr, nullptr},
             "1 where its last writer lives", rows, writer_alive);
  scrape.add({"shmim_stream_last_write_timestamp_seconds", "gauge", "seconds", nullptr},
             "when the last frame was written, since 1970 in UTC", rows, last_write);
  for (const Metric& metric : metrics) {
    const Column& fact = *find_column(metric.fact);
    scrape.add(metric, fact.meaning, rows, [&](const StreamRow& row) {
      const auto value = row.description().unreadable ? std::nullopt : number_of(fact.value(row));
      return value ? std::optional(fmt::format("{}", *value)) : std::nullopt;
    });
  }
  return scrape.text();
}

}  // namespace shmim::tools
