#include "top/metrics.hpp"

#include <array>

#include <fmt/format.h>

namespace shmim::tools {
namespace {

struct Metric {
  const char* name;
  const char* type;
  const char* unit;  ///< nothing where it is a plain number
  const char* help;
  std::optional<double> (*value)(const StreamRow& row);
};

std::optional<double> seconds(const std::optional<Seconds>& duration) {
  return duration ? std::optional(duration->count()) : std::nullopt;
}

const Description& of(const StreamRow& row) { return row.description(); }

constexpr std::array metrics{
    Metric{"shmim_stream_readable", "gauge", nullptr,
           "1 for a stream, 0 for a file that is not a stream",
           [](const StreamRow& row) { return std::optional(of(row).unreadable ? 0.0 : 1.0); }},
    Metric{"shmim_stream_frames", "counter", nullptr, "frames ever published, cnt0",
           [](const StreamRow& row) {
             return std::optional(static_cast<double>(of(row).header.cnt0));
           }},
    Metric{"shmim_stream_rate_hertz", "gauge", "hertz", "frames per second, by the write times",
           [](const StreamRow& row) { return row.watched->rate.hertz; }},
    Metric{"shmim_stream_age_seconds", "gauge", "seconds", "time since the last frame was written",
           [](const StreamRow& row) {
             const auto age = of(row).age(of(row).written());
             return age ? std::optional(Seconds(*age).count()) : std::nullopt;
           }},
    Metric{"shmim_stream_jitter_seconds", "gauge", "seconds",
           "root mean square distance of the write times from those of a regular writer",
           [](const StreamRow& row) { return seconds(row.watched->rate.jitter); }},
    Metric{"shmim_stream_missed_frames", "gauge", "frames",
           "frames of its trigger stream that its writer has not taken, since the first look",
           [](const StreamRow& row) {
             const auto& missed = row.watched->missed;
             return missed ? std::optional(static_cast<double>(*missed)) : std::nullopt;
           }},
    Metric{"shmim_stream_file_bytes", "gauge", "bytes", "bytes of the file",
           [](const StreamRow& row) {
             return std::optional(static_cast<double>(of(row).file_bytes));
           }},
    Metric{"shmim_stream_writer_alive", "gauge", nullptr, "1 where its last writer lives",
           [](const StreamRow& row) { return std::optional(of(row).writer.alive ? 1.0 : 0.0); }},
    Metric{"shmim_stream_readers", "gauge", nullptr,
           "living processes that have claimed a semaphore",
           [](const StreamRow& row) {
             return std::optional(static_cast<double>(of(row).readers().size()));
           }},
    Metric{"shmim_stream_saturated_semaphores", "gauge", "semaphores",
           "semaphores that writers post no more",
           [](const StreamRow& row) {
             return std::optional(static_cast<double>(of(row).saturated()));
           }},
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

std::string to_metrics(const std::vector<StreamRow>& rows) {
  std::string text;
  for (const Metric& metric : metrics) {
    text += fmt::format("# TYPE {} {}\n", metric.name, metric.type);
    if (metric.unit != nullptr) {
      text += fmt::format("# UNIT {} {}\n", metric.name, metric.unit);
    }
    text += fmt::format("# HELP {} {}\n", metric.name, metric.help);
    const bool is_counter = std::string_view(metric.type) == "counter";
    for (const StreamRow& row : rows) {
      const bool is_told = !of(row).unreadable || &metric == &metrics.front();
      const auto value = is_told ? metric.value(row) : std::nullopt;
      if (value) {
        text += fmt::format("{}{}{{stream=\"{}\"}} {}\n", metric.name, is_counter ? "_total" : "",
                            label(of(row).name), *value);
      }
    }
  }
  return text + "# EOF\n";
}

}  // namespace shmim::tools
