#include "trace/traced.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

std::string written_in_words(const TraceEntry& entry) {
  return entry.written                        ? to_utc(*entry.written)
         : entry.writing == Writing::given_up ? "gave up"
                                              : "not yet";
}

}  // namespace

std::string untraced_in_words(std::uint64_t cnt0, const Process& writer, bool is_empty) {
  if (cnt0 == 0) {
    return "nobody has written it yet";
  }
  const std::string who =
      writer.pid == 0 ? std::string("a program") : "process " + in_words(writer);
  return fmt::format("frame {} was written by {}, which records no trace{}", cnt0, who,
                     is_empty ? "" : ": this one is of an older frame");
}

Record record_of(Traced& traced, const Hop& hop) {
  const TraceEntry& entry = hop.entry;
  const Process& process = traced.processes.look_up(entry.pid);
  Record record{{"name", traced.name},
                {"stream", hop.stream},
                {"procwrite_PID", entry.pid},
                {"command", process.command},
                {"alive", process.liveness == Liveness::alive},
                {"trigger", hop.trigger},
                {"trigger_inode", entry.trigger_inode},
                {"triggermode", to_string(entry.mode)},
                {"triggerstatus", to_string(entry.status)},
                {"trigsemindex", entry.semaphore},
                {"cnt0", entry.cnt0},
                {"ts_procstart", to_utc(entry.triggered)},
                {"ts_streamupdate", entry.written ? Record(to_utc(*entry.written)) : Record()},
                {"writing", to_string(entry.writing)}};
  record["latency"] =
      hop.latency ? Record(std::chrono::duration<double>(*hop.latency).count()) : Record();
  return record;
}

std::string table_of(Traced& traced) {
  std::vector<std::vector<std::string>> rows{{"STREAM", "PID", "COMMAND", "TRIGGER", "MODE",
                                              "STATUS", "SEM", "CNT0", "TRIGGERED", "WRITTEN",
                                              "LATENCY"}};
  for (const Hop& hop : traced.hops) {
    const TraceEntry& entry = hop.entry;
    const bool is_triggered = !hop.trigger.empty();
    const Process& process = traced.processes.look_up(entry.pid);
    rows.push_back({printable(hop.stream), fmt::format("{}", entry.pid), command_in_words(process),
                    is_triggered ? printable(hop.trigger) : "-", std::string(to_string(entry.mode)),
                    std::string(to_string(entry.status)),
                    entry.semaphore < 0 ? "-" : std::to_string(entry.semaphore),
                    is_triggered ? std::to_string(entry.cnt0) : "-", to_utc(entry.triggered),
                    written_in_words(entry), hop.latency ? in_words(*hop.latency) : "-"});
  }
  std::string text = traced.hops.empty() ? std::string() : to_table(rows);
  if (!traced.untraced.empty()) {
    text += fmt::format("{}: {}\n", printable(traced.name), traced.untraced);
  }
  if (traced.total) {
    text += fmt::format("oldest to newest: {}\n", in_words(*traced.total));
  }
  return text;
}

}  // namespace shmim::tools
