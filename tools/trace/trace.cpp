// shmim-trace: who made a frame, triggered by what, and how long each hop took; the graph of all
// streams.

#include <algorithm>
#include <array>
#include <map>

#include <nlohmann/json.hpp>

#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "common/print/graph_text.hpp"
#include "common/print/json.hpp"
#include "common/print/words.hpp"
#include "trace/tally.hpp"

namespace shmim::tools {
namespace {

struct Traced {
  std::string name;
  std::vector<Hop> hops;  ///< newest first
  /// What the trace does not tell of the newest frame; empty if it is of that frame.
  std::string untraced;
  std::optional<std::chrono::nanoseconds> total;
};

class Trace final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams whose trace to show; takes @S: @E:");
    const Option& all = options.flag("--all", all_, "every stream in the shm directory");
    const Option& graph =
        options
            .flag("--graph", graph_, "the graph of all streams: as a tree, or with --json or --dot")
            .excludes(all);
    const Option& dot = options.flag("--dot", dot_, "print a graph for Graphviz");
    options.duration("--over", over_,
                     "measure rates over this time, for a graph (default: 250ms); 0 for none");
    options
        .flag("-f,--follow", follow_,
              "every new frame: its end-to-end latency, and percentiles in the end")
        .excludes(all)
        .excludes(graph)
        .excludes(dot);
    options.number("-n", "N", count_, "end after N frames; implies --follow", above_zero)
        .excludes(all)
        .excludes(graph)
        .excludes(dot);
    options
        .flag("--hops", hops_,
              "percentiles of every step that leads to the frames, in the end; implies --follow")
        .excludes(all)
        .excludes(graph)
        .excludes(dot);
    options
        .number("--worst", "N", worst_,
                "the traces of the N frames that took longest, in the end; implies --follow",
                above_zero)
        .excludes(all)
        .excludes(graph)
        .excludes(dot);
    options
        .flag("--delay", delay_,
              "of two REFs: the time from a frame of the first to the frame of the second that it "
              "caused; implies --follow")
        .excludes(all)
        .excludes(graph)
        .excludes(dot);
    patience_.declare(options);
    options.duration("--budget", budget_, "exit 1 when a frame takes longer from end to end")
        .excludes(graph)
        .excludes(dot);
    options.ready_fd();
    options.json("print one JSON object per step or frame, or one of the graph").excludes(dot);
  }

  Exit run(const Context& context) override {
    follow_ = follow_ || count_ || patience_.has_end() || hops_ || worst_ || delay_;
    check_usage();
    std::vector<Reference> references;
    for (const std::string& text : refs_) {
      references.push_back(context.reference(text));
    }
    if (follow_) {
      std::optional<Stream> from;
      if (delay_) {
        from.emplace(context.open(references.front(), Access::read));
      }
      return follow(context, references.back(), from);
    }
    if (graph_ || dot_) {
      return show_graph(context, references);
    }
    std::vector<Traced> traces = all_ ? trace_all(context) : std::vector<Traced>();
    const Exit status = context.for_each<Reference>(references, [&](const Reference& wanted) {
      traces.push_back(trace(context, context.open(wanted, Access::read)));
    });
    print_traces(context, traces);
    const Exit verdict = context.for_each<Traced>(traces, [this](const Traced& traced) {
      if (budget_ && !(all_ && !traced.total)) {
        judge(traced.name, traced.total, "the newest frame");
      }
    });
    return status == Exit::done ? verdict : status;
  }

 private:
  /// Throws UsageError.
  void check_usage() const {
    if (patience_.timeout() && !follow_) {
      throw UsageError("--timeout requires --follow");
    }
    if (follow_ && (all_ || graph_ || dot_)) {
      throw UsageError("--follow takes one REF");
    }
    if (delay_ && refs_.size() != 2) {
      throw UsageError(
          "--delay takes two REFs: the stream that causes, and the one that is caused");
    }
    if (follow_ && !delay_ && refs_.size() > 1) {
      throw UsageError("--follow takes one REF");
    }
    if (refs_.empty() && !all_ && !graph_) {
      throw UsageError(follow_ ? "--follow takes one REF" : "REF is missing (or --all)");
    }
    if (!refs_.empty() && (all_ || graph_)) {
      throw UsageError(fmt::format("{} and REF exclude one another", graph_ ? "--graph" : "--all"));
    }
    if (over_ && !graph_ && !dot_) {
      throw UsageError("--over is for --graph and --dot");
    }
  }

  /// The names of all streams, read once a trigger must be named.
  [[nodiscard]] const std::map<ino_t, std::string>& names(const Context& context) {
    if (!names_) {
      names_ = names_by_inode(context.search_path().shm);
    }
    return *names_;
  }

  [[nodiscard]] std::vector<Traced> trace_all(const Context& context) {
    const std::filesystem::path& directory = context.search_path().shm;
    std::vector<Traced> traces;
    for (const std::string& name : list_streams(directory)) {
      std::optional<Stream> stream;
      try {
        stream = Stream::open(stream_path(directory, name), Access::read);
      } catch (const Error&) {
        context.detail(name, "is not a readable stream");
        continue;
      }
      traces.push_back(trace(context, *stream));
    }
    return traces;
  }

  [[nodiscard]] Traced trace(const Context& context, const Stream& stream) {
    std::vector<TraceEntry> entries;
    const Snapshot snapshot =
        stream.snapshot_trace(entries, deadline_after(std::chrono::milliseconds{100}));
    if (snapshot.state != FrameState::whole) {
      entries = stream.trace().entries();
      context.note(stream.name(), fmt::format("{}; its trace may be of two frames",
                                              snapshot.state == FrameState::busy
                                                  ? "is in the middle of being written"
                                                  : "holds an unfinished frame"));
    }
    const bool is_triggered = !entries.empty() && entries.front().trigger_inode != 0;
    const FrameWriter writer = writer_of(stream, entries);
    std::vector<Hop> hops = hops_of(stream.name(), entries,
                                    is_triggered ? names(context) : std::map<ino_t, std::string>());
    tell_origin(context, hops);
    return {stream.name(), std::move(hops),
            writer.is_traced ? "" : untraced(stream, writer.pid, entries.empty()),
            writer.is_traced ? end_to_end(entries) : std::nullopt};
  }

  /// What a trace has no room for: that its oldest frame was received from another host.
  static void tell_origin(const Context& context, std::vector<Hop>& hops) {
    if (hops.empty() || hops.back().entry.trigger_inode != 0 ||
        hops.back().entry.mode != TriggerMode::cnt0) {
      return;
    }
    Hop& oldest = hops.back();
    try {
      const std::filesystem::path path = stream_path(context.search_path().shm, oldest.stream);
      const auto received = received_of(Stream::open(path, Access::read).keywords().all());
      if (received) {
        oldest.trigger = received->name();
      }
      if (received && received->delay && oldest.entry.written) {
        oldest.latency = *received->delay + elapsed(oldest.entry.triggered, *oldest.entry.written);
      }
    } catch (const Error&) {
      // It is gone by now, and so is what it said of itself.
    }
  }

  /// The newest frame has no trace.
  [[nodiscard]] static std::string untraced(const Stream& stream, pid_t writer, bool is_empty) {
    const std::uint64_t cnt0 = stream.cnt0();
    if (cnt0 == 0) {
      return "nobody has written it yet";
    }
    const std::string who =
        writer == 0        ? std::string("a program")
        : is_alive(writer) ? fmt::format("process {} ({})", writer, printable(command_of(writer)))
                           : fmt::format("process {} (dead)", writer);
    return fmt::format("frame {} was written by {}, which records no trace{}", cnt0, who,
                       is_empty ? "" : ": this one is of an older frame");
  }

  void print_traces(const Context& context, const std::vector<Traced>& traces) const {
    if (budget_ && context.quiet()) {
      return;  // the exit status is what was asked for
    }
    bool is_first = true;
    for (const Traced& traced : traces) {
      if (context.json()) {
        for (const Hop& hop : traced.hops) {
          write_stdout(to_json_line(record_of(traced, hop)));
        }
      } else {
        write_stdout((is_first ? "" : "\n") + table(traced));
      }
      is_first = false;
    }
  }

  [[nodiscard]] static Record record_of(const Traced& traced, const Hop& hop) {
    const TraceEntry& entry = hop.entry;
    Record record{{"name", traced.name},
                  {"stream", hop.stream},
                  {"procwrite_PID", entry.pid},
                  {"command", command_of(entry.pid)},
                  {"alive", is_alive(entry.pid)},
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

  [[nodiscard]] static std::string written_in_words(const TraceEntry& entry) {
    return entry.written                        ? to_utc(*entry.written)
           : entry.writing == Writing::given_up ? "gave up"
                                                : "not yet";
  }

  [[nodiscard]] static std::string table(const Traced& traced) {
    std::vector<std::vector<std::string>> rows{{"STREAM", "PID", "COMMAND", "TRIGGER", "MODE",
                                                "STATUS", "SEM", "CNT0", "TRIGGERED", "WRITTEN",
                                                "LATENCY"}};
    for (const Hop& hop : traced.hops) {
      const TraceEntry& entry = hop.entry;
      const bool is_triggered = !hop.trigger.empty();
      rows.push_back({printable(hop.stream), fmt::format("{}", entry.pid),
                      is_alive(entry.pid) ? printable(command_of(entry.pid)) : "(dead)",
                      is_triggered ? printable(hop.trigger) : "-",
                      std::string(to_string(entry.mode)), std::string(to_string(entry.status)),
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

  /// Throws where a frame took longer than it may, or cannot be said to have taken any time.
  void judge(const std::string& name, std::optional<std::chrono::nanoseconds> latency,
             std::string_view frame) const {
    if (!latency) {
      throw Error(Problem::failed, name, "nothing triggers it: there is no latency to judge");
    }
    if (*latency > *budget_) {
      throw Error(Problem::failed, name,
                  fmt::format("{} took {}, over the budget of {}", frame, in_words(*latency),
                              in_words(*budget_)));
    }
  }

  /// With `from`, latencies are from the frame of that stream that caused the one that came.
  Exit follow(const Context& context, const Reference& wanted, const std::optional<Stream>& from) {
    // Read-only: counts are watched, and no semaphore is claimed.
    FollowOptions options;
    options.cancelled = is_writing_over;
    Follower follower(context.open(wanted, Access::read), std::move(options));
    patience_.begin();
    Tally tally(worst_.value_or(0));
    context.readiness().say();
    while (!count_ || tally.frames() < *count_) {
      TakenFrame frame;
      const Arrival arrival = patience_.wait([&](const Deadline& deadline) {
        return follower.next(
            FrameOrder::latest, deadline, [](std::span<const std::byte>) {}, frame);
      });
      tally.add_missed(frame.missed);
      if (arrival != Arrival::arrived) {
        report(context, wanted.name, tally);
        patience_.end(context, arrival, follower, Patience::lacking(tally.frames(), count_));
        return Exit::done;
      }
      const auto latency =
          from ? delay_from(frame.trace, from->identity().inode) : end_to_end(frame.trace);
      tally.add(frame, latency);
      if (!hops_ && !worst_) {
        print_frame(context, wanted.name, frame.info.cnt0, latency);
      }
      if (budget_ && (!latency || *latency > *budget_)) {
        report(context, wanted.name, tally);
        judge(wanted.name, latency, fmt::format("frame {}", frame.info.cnt0));
      }
    }
    report(context, wanted.name, tally);
    return Exit::done;
  }

  static void print_frame(const Context& context, const std::string& name, std::uint64_t cnt0,
                          std::optional<std::chrono::nanoseconds> latency) {
    if (context.json()) {
      write_stdout(
          to_json_line({{"name", name},
                        {"cnt0", cnt0},
                        {"latency", latency ? Record(Seconds(*latency).count()) : Record()}}));
    } else if (!context.quiet()) {
      write_stdout(fmt::format("{} {}\n", cnt0, latency ? in_words(*latency) : "-"));
    }
  }

  /// Summary, and the steps and the slowest frames if they were asked for.
  void report(const Context& context, const std::string& name, const Tally& tally) {
    Record record{{"name", name}};
    const std::string summary = tally.summary(record);
    write_stdout(context.json() ? to_json_line(record) : summary + "\n");
    if (hops_) {
      write_stdout(steps_of(context, name, tally));
    }
    for (const Tally::Slow& slow : tally.slowest()) {
      const Traced traced{name, hops_of(name, slow.trace, names(context)), "", slow.latency};
      if (context.json()) {
        for (const Hop& hop : traced.hops) {
          Record step = record_of(traced, hop);
          step["frame"] = slow.cnt0;
          write_stdout(to_json_line(step));
        }
      } else {
        write_stdout(fmt::format("\nframe {}\n{}", slow.cnt0, table(traced)));
      }
    }
  }

  [[nodiscard]] std::string steps_of(const Context& context, const std::string& name,
                                     const Tally& tally) {
    const auto name_of = [&](ino_t inode) {
      const auto found = names(context).find(inode);
      return inode == 0                      ? name
             : found == names(context).end() ? fmt::format("inode {}", inode)
                                             : found->second;
    };
    std::string lines;
    for (const auto& [step, latencies] : tally.steps()) {
      Record record{{"name", name},
                    {"stream", name_of(step.stream)},
                    {"trigger", name_of(step.trigger)},
                    {"frames", latencies.size()}};
      const std::string spread = spread_in_words(latencies, record);
      lines += context.json() ? to_json_line(record)
                              : fmt::format("{} -> {}, {}: {}\n", printable(name_of(step.trigger)),
                                            printable(name_of(step.stream)),
                                            counted(latencies.size(), "frame"), spread);
    }
    return lines;
  }

  Exit show_graph(const Context& context, const std::vector<Reference>& references) {
    raise_file_limit();
    const std::filesystem::path& directory = context.search_path().shm;
    const Exit status = context.for_each<Reference>(references, [&](const Reference& wanted) {
      static_cast<void>(context.open(wanted, Access::read));  // there, and of the type demanded
    });
    Watcher watcher(directory);
    watcher.look();
    const auto interval = over_.value_or(std::chrono::milliseconds{250});
    const bool is_measured = interval.count() > 0;
    if (is_measured) {
      sleep_until(std::chrono::steady_clock::now() + interval);
      watcher.look();
    }
    const Exit is_whole = context.report_left_out(watcher.streams(), &Watched::description);
    Graph graph = graph_of(watcher.streams(), removed_streams(), watcher.processes());
    for (GraphNode& node : graph.nodes) {
      node.rate = is_measured ? node.rate : std::nullopt;
    }
    const std::vector<bool> is_shown = leading_to(graph, marked(graph, references, directory));
    write_stdout(dot_             ? to_dot(graph, is_shown)
                 : context.json() ? to_json_line(to_record(graph))
                                  : to_tree(graph));
    return status == Exit::done ? is_whole : status;
  }

  /// The streams that were asked for: all, where none was.
  [[nodiscard]] static std::vector<bool> marked(const Graph& graph,
                                                const std::vector<Reference>& references,
                                                const std::filesystem::path& directory) {
    std::vector<bool> marks(graph.nodes.size(), references.empty());
    for (const Reference& wanted : references) {
      const auto identity = identity_of(stream_path(directory, wanted.name));  // a link's target's
      for (std::size_t i = 0; identity && i < graph.nodes.size(); ++i) {
        marks[i] = marks[i] || graph.nodes[i].inode == identity->inode;
      }
    }
    return marks;
  }

  std::vector<std::string> refs_;
  bool all_ = false;
  bool graph_ = false;
  bool dot_ = false;
  bool follow_ = false;
  std::optional<std::uint64_t> count_;
  std::optional<std::chrono::nanoseconds> over_;
  bool hops_ = false;
  std::optional<std::size_t> worst_;
  bool delay_ = false;
  Patience patience_;
  std::optional<std::chrono::nanoseconds> budget_;
  std::optional<std::map<ino_t, std::string>> names_;
};

const Registration trace_registration("trace",
                                      "show who made a stream's frame, and what triggered it",
                                      {"SE"}, {.missing = "shmim-ls", .similar = "shmim-trace {}"},
                                      make<Trace>, {"shmim-trace roi", "shmim-trace --graph"});

}  // namespace
}  // namespace shmim::tools
