// shmim-trace: who made a frame, triggered by what, and how long each hop took.

#include <map>

#include "record.hpp"
#include "tool.hpp"

namespace shmim::tools {
namespace {

std::string in_microseconds(Tai duration) {
  return fmt::format("{:.1f}us", std::chrono::duration<double, std::micro>(duration).count());
}

/// A step of the trace, with what follows from its neighbours.
struct Hop {
  std::string stream;  ///< that was written
  TraceEntry entry;
  std::optional<Tai> latency;  ///< from the writing of the trigger stream to this writing
};

struct Traced {
  std::string name;
  std::vector<Hop> hops;  ///< newest first
  std::optional<Tai> total;
};

class Trace final : public Tool {
 public:
  void declare(CLI::App& app) override {
    app.add_option("REF", refs_, "streams whose trace to show; takes @S: @E:")->type_name("");
    app.add_flag("--all", all_, "every stream in the shm directory");
    auto* dot = app.add_flag("--dot", dot_, "print a graph for Graphviz");
    declare_json(app, "print one JSON object per step");
    app.get_option("--json")->excludes(dot);
    declare_common(app);
  }

  Exit run() override {
    if (refs_.empty() != all_) {
      throw UsageError(all_ ? "--all and REF exclude one another" : "REF is missing (or --all)");
    }
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(reference(text, {"SE"}));
    }
    collect_streams();
    std::vector<Traced> traces;
    const Exit status = for_each<Reference>(references, [&](const Reference& wanted) {
      traces.push_back(trace(open(wanted, Access::read)));
    });
    for (const Stream& stream : streams_) {
      if (all_) {
        traces.push_back(trace(stream));
      }
    }
    if (dot_) {
      print_graph(traces);
    } else {
      print_traces(traces);
    }
    return status;
  }

 private:
  /// The streams there are, and their names by the inode that traces know them by.
  void collect_streams() {
    const std::filesystem::path directory = places().shm;
    for (const std::string& name : list_streams(directory)) {
      try {
        streams_.push_back(Stream::open(stream_path(directory, name), Access::read));
        names_.try_emplace(streams_.back().identity().inode, name);
      } catch (const Error&) {
        detail(name, "is no readable stream");
      }
    }
  }

  [[nodiscard]] std::string name_of(ino_t inode) const {
    const auto name = names_.find(inode);
    return name == names_.end() ? fmt::format("inode {}", inode) : name->second;
  }

  [[nodiscard]] Traced trace(const Stream& stream) const {
    std::vector<TraceEntry> entries;
    const Snapshot snapshot =
        stream.snapshot_trace(entries, deadline_after(std::chrono::milliseconds{100}));
    if (snapshot.reading != Reading::whole) {
      entries = stream.trace().entries();
      note(stream.name(),
           fmt::format("{}; its trace may be of two frames",
                       snapshot.reading == Reading::busy ? "is in the middle of being written"
                                                         : "holds an unfinished frame"));
    }
    Traced traced{stream.name(), {}, {}};
    std::string written = stream.name();
    for (const TraceEntry& entry : entries) {
      traced.hops.push_back({written, entry, {}});
      written = entry.trigger_inode == 0 ? "-" : name_of(entry.trigger_inode);
    }
    for (std::size_t i = 0; i + 1 < traced.hops.size(); ++i) {
      traced.hops[i].latency = elapsed(entries[i + 1].written, entries[i].written);
    }
    if (entries.size() > 1) {
      traced.total = elapsed(entries.back().written, entries.front().written);
    }
    return traced;
  }

  void print_traces(const std::vector<Traced>& traces) const {
    bool is_first = true;
    for (const Traced& traced : traces) {
      if (json()) {
        for (const Hop& hop : traced.hops) {
          write_stdout(to_json_line(record(traced, hop)));
        }
      } else {
        write_stdout((is_first ? "" : "\n") + table(traced));
      }
      is_first = false;
    }
  }

  [[nodiscard]] Record record(const Traced& traced, const Hop& hop) const {
    const TraceEntry& entry = hop.entry;
    Record record{{"name", traced.name},
                  {"stream", hop.stream},
                  {"procwrite_PID", entry.pid},
                  {"command", command_of(entry.pid)},
                  {"alive", is_alive(entry.pid)},
                  {"trigger", entry.trigger_inode == 0 ? "" : name_of(entry.trigger_inode)},
                  {"trigger_inode", entry.trigger_inode},
                  {"triggermode", to_string(entry.mode)},
                  {"triggerstatus", to_string(entry.status)},
                  {"trigsemindex", entry.semaphore},
                  {"cnt0", entry.cnt0},
                  {"ts_procstart", to_utc(entry.triggered)},
                  {"ts_streamupdate", to_utc(entry.written)}};
    record["latency"] =
        hop.latency ? Record(std::chrono::duration<double>(*hop.latency).count()) : Record();
    return record;
  }

  [[nodiscard]] std::string table(const Traced& traced) const {
    std::vector<std::vector<std::string>> rows{{"STREAM", "PID", "COMMAND", "TRIGGER", "MODE",
                                                "STATUS", "SEM", "CNT0", "TRIGGERED", "WRITTEN",
                                                "LATENCY"}};
    for (const Hop& hop : traced.hops) {
      const TraceEntry& entry = hop.entry;
      const bool is_triggered = entry.trigger_inode != 0;
      rows.push_back({printable(hop.stream), fmt::format("{}", entry.pid),
                      is_alive(entry.pid) ? printable(command_of(entry.pid)) : "(dead)",
                      is_triggered ? printable(name_of(entry.trigger_inode)) : "-",
                      std::string(to_string(entry.mode)), std::string(to_string(entry.status)),
                      entry.semaphore < 0 ? "-" : std::to_string(entry.semaphore),
                      is_triggered ? std::to_string(entry.cnt0) : "-", to_utc(entry.triggered),
                      to_utc(entry.written), hop.latency ? in_microseconds(*hop.latency) : "-"});
    }
    if (traced.hops.empty()) {
      return fmt::format("{}: nobody has written it yet\n", printable(traced.name));
    }
    std::string text = to_table(rows);
    if (traced.total) {
      text += fmt::format("oldest to newest: {}\n", in_microseconds(*traced.total));
    }
    return text;
  }

  /// An edge for each step that is known: from the trigger stream to the stream that was written.
  void print_graph(const std::vector<Traced>& traces) const {
    std::map<std::pair<std::string, std::string>, std::string> edges;
    std::string nodes;
    for (const Traced& traced : traces) {
      nodes += fmt::format("  {};\n", quoted(traced.name));
      for (const Hop& hop : traced.hops) {
        if (hop.entry.trigger_inode == 0) {
          continue;
        }
        edges[{name_of(hop.entry.trigger_inode), hop.stream}] =
            fmt::format("{}{}", describe_process(hop.entry.pid),
                        hop.latency ? "\\n" + in_microseconds(*hop.latency) : "");
      }
    }
    std::string graph = "digraph streams {\n  rankdir=LR;\n  node [shape=box];\n" + nodes;
    for (const auto& [ends, label] : edges) {
      graph += fmt::format("  {} -> {} [label={}];\n", quoted(ends.first), quoted(ends.second),
                           quoted(label));
    }
    write_stdout(graph + "}\n");
  }

  std::vector<std::string> refs_;
  bool all_ = false;
  bool dot_ = false;
  std::vector<Stream> streams_;
  std::map<ino_t, std::string> names_;
};

const Registration registration("trace", "show who made a stream's frame, and what triggered it",
                                make<Trace>);

}  // namespace
}  // namespace shmim::tools
