#include "common/print/facts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/columns.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

Record rate_record(const Rate& rate) {
  return {{"frames", rate.frames},
          {"missed", rate.missed},
          {"rate", rate.hertz ? Record(*rate.hertz) : Record()},
          {"stamped", rate.is_stamped},
          {"min", to_json(rate.min)},
          {"mean", to_json(rate.mean)},
          {"max", to_json(rate.max)},
          {"stddev", to_json(rate.stddev)},
          {"jitter", to_json(rate.jitter)}};
}

std::string clock_in_words(StampClock clock) {
  const auto offset = tai_offset().count();
  switch (clock) {
    case StampClock::tai:
      return fmt::format("TAI, {} s ahead of UTC", offset);
    case StampClock::utc:
      return fmt::format("UTC, and not TAI, from which {} s tell it", offset);
    case StampClock::same:
      return "TAI, which is UTC here: the kernel has no offset";
    case StampClock::unknown:
      break;
  }
  return fmt::format("taken for TAI, {} s ahead of UTC: the file's age does not tell", offset);
}

std::string indented(const std::string& lines) {
  std::string text;
  for (std::string_view rest = lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    text += fmt::format("    {}", line);
    rest.remove_prefix(line.size());
  }
  return text;
}

std::string status_in_words(const SemaphoreState& semaphore) {
  std::string text;
  const auto say = [&](bool is_set, const char* word) {
    if (is_set) {
      text += fmt::format("{}{}", text.empty() ? "" : ", ", word);
    }
  };
  say((semaphore.status & layout::status_connected) != 0, "connected");
  say((semaphore.status & layout::status_waiting) != 0, "waiting");
  say((semaphore.status & layout::status_waiting_ready) != 0, "waiting for ready");
  say((semaphore.status & layout::status_timed_out) != 0, "timed out");
  say((semaphore.control & 1U) != 0, "ready");
  return text.empty() ? "-" : text;
}

std::string semaphore_table(const Description& description) {
  std::vector<std::vector<std::string>> rows{{"SEM", "VALUE", "READER", "POSTER", "STATUS"}};
  for (const SemaphoreState& semaphore : description.semaphores) {
    rows.push_back({std::to_string(rows.size() - 1),
                    fmt::format("{}{}", semaphore.value, semaphore.saturated ? " full" : ""),
                    in_words(semaphore.reader), in_words(semaphore.poster),
                    status_in_words(semaphore)});
  }
  return rows.size() == 1 ? std::string() : to_table(rows);
}

/// What is to be said of a writer that has not published its frame.
const char* progress(Writing writing) noexcept {
  switch (writing) {
    case Writing::begun:
      return ", in the middle of a frame";
    case Writing::given_up:
      return ", which gave up in the middle of a frame";
    case Writing::done:
      break;
  }
  return "";
}

template <class Say>
void say_rate(const Rate& rate, const Say& say) {
  const auto words = [](const std::optional<Seconds>& duration) {
    return duration ? in_words(*duration) : std::string("-");
  };
  say("rate", fmt::format("{} over {}, {} missed{}", rate_in_words(rate.hertz),
                          counted(rate.frames, "frame"), rate.missed,
                          rate.is_stamped ? "" : "; by our looks: its writer stamps no time"));
  say("interval", fmt::format("mean {}, min {}, max {}, standard deviation {}", words(rate.mean),
                              words(rate.min), words(rate.max), words(rate.stddev)));
  say("jitter", words(rate.jitter));
}

template <class Say>
void say_statistics(const Statistics& statistics, const Say& say) {
  say("elements", fmt::format("mean {:.6g}, min {:.6g}, max {:.6g}, standard deviation {:.6g}",
                              statistics.mean, statistics.min, statistics.max, statistics.stddev));
  say("percentiles", fmt::format("p1 {:.6g}, p50 {:.6g}, p99 {:.6g}", statistics.p1, statistics.p50,
                                 statistics.p99));
  say("saturated", fmt::format("{} of {}", statistics.saturated, statistics.elements));
  say("not finite", fmt::format("{} of {}", statistics.non_finite, statistics.elements));
}

}  // namespace

Record to_json(const Statistics& statistics, const std::string& slice) {
  // JSON has no NaN: of a frame without a finite number they are null.
  return {{"elements", statistics.elements},
          {"min", statistics.min},
          {"max", statistics.max},
          {"mean", statistics.mean},
          {"stddev", statistics.stddev},
          {"p1", statistics.p1},
          {"p50", statistics.p50},
          {"p99", statistics.p99},
          {"saturated", statistics.saturated},
          {"non_finite", statistics.non_finite},
          {"slice", slice}};
}

std::string FactsTeller::to_json_line(const Facts& facts) const {
  const Description& description = facts.description;
  const Watched watched{description, {}, {}, 0};
  const StreamRow row{&watched, false, &facts.holders, &processes_};
  Record record;
  for (const Column& column : stream_columns()) {
    if (!column.is_measured) {
      record[column.key] = column.value(row);
    }
  }
  record["semaphores"] = Record::array();
  for (const SemaphoreState& semaphore : description.semaphores) {
    record["semaphores"].push_back({{"value", semaphore.value},
                                    {"saturated", semaphore.saturated},
                                    {"semReadPID", semaphore.reader.pid},
                                    {"reader", to_json(semaphore.reader)},
                                    {"semWritePID", semaphore.poster.pid},
                                    {"poster", to_json(semaphore.poster)},
                                    {"semctrl", semaphore.control},
                                    {"semstatus", semaphore.status}});
  }
  record["log_semaphore"] = description.log_semaphore;
  record["keywords"] = Record::array();
  for (const Keyword& keyword : description.keywords) {
    record["keywords"].push_back(to_json(keyword));
  }
  if (const auto received = received_of(description.keywords)) {
    record["received"] = {
        {"host", received->host},
        {"origin", received->origin},
        {"up", received->is_up},
        {"delay", received->delay ? Record(Seconds(*received->delay).count()) : Record()}};
  }
  record["trace"] = Record::array();
  for (const Hop& hop : hops_of(description.name, description.trace, names_)) {
    const bool is_known = names_.contains(hop.entry.trigger_inode);
    record["trace"].push_back(
        {{"procwrite_PID", hop.entry.pid},
         {"process", to_json(processes_.look_up(hop.entry.pid))},
         {"writing", to_string(hop.entry.writing)},
         {"trigger", is_known ? Record(hop.trigger) : Record()},
         {"trigger_inode", hop.entry.trigger_inode},
         {"latency", hop.latency ? Record(Seconds(*hop.latency).count()) : Record()}});
  }
  if (facts.rate) {
    record["rate"] = rate_record(*facts.rate);
  }
  if (facts.statistics) {
    record["statistics"] = to_json(*facts.statistics, facts.slice);
  }
  return tools::to_json_line(record);
}

std::string FactsTeller::to_text(const Facts& facts) const {
  const Description& description = facts.description;
  const layout::Metadata& header = description.header;
  std::string text = name_in_words(description) + "\n";
  const auto say = [&](const char* what, const std::string& value) {
    text += fmt::format("  {:<16} {}\n", what, value);
  };
  const auto time_of = [&](Tai stamp) {
    const auto since = description.age(stamp);
    return to_utc(stamp, description.clock) +
           (since ? fmt::format(", {} ago", in_words(*since)) : std::string());
  };
  const auto time = [&](layout::Timespec stamp) {
    return time_of(to_tai(stamp)) +
           (to_tai(stamp) == out_of_range ? fmt::format(" ({} s)", stamp.seconds) : std::string());
  };
  say("path", printable(description.path.string()));
  if (layout::text_of(header.name) != description.name) {
    say("name in header", printable(layout::text_of(header.name)));
  }
  say("type", std::string(to_string(description.format.type)));
  say("size", fmt::format("{}, {} elements", to_string(description.format.shape), header.nelement));
  say("bytes",
      fmt::format("{} of the array, {} of the file", header.imdatamemsize, description.file_bytes));
  say("image type",
      fmt::format("{:#x}: {}", header.imagetype, image_type_in_words(header.imagetype)));
  say("location", header.location == -1 ? "CPU memory" : fmt::format("GPU {}", header.location));
  say("inode",
      fmt::format("{}{}", header.inode,
                  header.inode == description.identity.inode
                      ? ""
                      : fmt::format(", but the file's is {}: a copy", description.identity.inode)));
  say("frame", state_of(description));
  say("cnt0 cnt1 cnt2", fmt::format("{} {} {}", header.cnt0, header.cnt1, header.cnt2));
  say("written", description.written == never && header.cnt0 > 0
                     ? std::string("not known: its writer stamps no time")
                 : description.written == out_of_range ? time(header.writetime)
                                                       : time_of(description.written));
  say("acquired", time(header.atime));
  say("last access", time(header.lastaccesstime));
  say("created", time(header.creationtime));
  say("clock", clock_in_words(description.clock));
  say("writer", in_words(description.writer));
  say("only writer", in_words(description.claimer));
  say("creator", in_words(description.creator));
  say("owner", header.owner_pid == 1 ? "1: it belongs to no process" : in_words(description.owner));
  if (const auto received = received_of(description.keywords)) {
    say("received", fmt::format("from {}{}", printable(received->name()),
                                received->is_up ? "" : ", to which the connection is down"));
  }
  say("status", fmt::format("{}{}; flag {}, logflag {}, shared {}", header.status,
                            header.status == 1   ? " (log)"
                            : header.status == 2 ? " (stop)"
                                                 : " (do not log)",
                            header.flag, header.logflag, header.shared));
  say("circular buffer",
      header.cb_size == 0
          ? "-"
          : fmt::format("{}, the newest in slot {}, wrapped {}", counted(header.cb_size, "frame"),
                        header.cb_index, counted(header.cb_cycle, "time")));
  say("held by", holders_in_words(facts.holders));
  say("semaphores", fmt::format("{}, {} saturated; the log semaphore is at {}", header.sem,
                                description.saturated(), description.log_semaphore));
  text += indented(semaphore_table(description));
  say("keywords", fmt::format("{} of {}", description.keywords.size(), header.nb_kw));
  text += indented(keyword_table(description.keywords));
  say("trace", fmt::format("{} of {} steps", description.trace.size(), header.nb_proctrace));
  text += indented(trace_lines(description));
  if (facts.rate) {
    say_rate(*facts.rate, say);
  }
  if (facts.statistics) {
    if (!facts.slice.empty()) {
      say("slice", facts.slice);
    }
    say_statistics(*facts.statistics, say);
  }
  return text;
}

std::string FactsTeller::holders_in_words(const Holders& holders) const {
  std::string text;
  for (const pid_t pid : holders.processes) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", in_words(processes_.look_up(pid)));
  }
  if (tells_all_ && !holders.unknown.empty()) {
    text += fmt::format("{}perhaps {} that we may not look into", text.empty() ? "" : "; ",
                        counted(holders.unknown.size(), "process"));
  }
  return text.empty() ? "-" : text;
}

std::string FactsTeller::trace_lines(const Description& description) const {
  std::string text;
  for (const Hop& hop : hops_of(description.name, description.trace, names_)) {
    text += fmt::format("{} by {}{}{}{}\n", printable(hop.stream),
                        in_words(processes_.look_up(hop.entry.pid)), progress(hop.entry.writing),
                        hop.trigger.empty() ? "" : ", triggered by " + printable(hop.trigger),
                        hop.latency ? ", after " + in_words(*hop.latency) : "");
  }
  return text;
}

}  // namespace shmim::tools
