// shmim-trace: who made a frame, triggered by what, and how long each hop took; the graph of all
// streams.

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <nlohmann/json.hpp>

#include "common/app/patience.hpp"
#include "common/app/scene.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "common/print/graph_text.hpp"
#include "common/print/json.hpp"
#include "common/print/words.hpp"
#include "trace/tally.hpp"
#include "trace/traced.hpp"

namespace shmim::tools {
namespace {

class Trace final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams whose trace to show; takes @S: @E: and an address");
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
      references.push_back(names_host() ? context.pattern(text) : context.reference(text));
    }
    if (follow_) {
      std::optional<ino_t> from;
      if (delay_) {
        from = inode_of(context, references.front());
      }
      return follow(context, references.back(), from);
    }
    if (graph_ || dot_) {
      return show_graph(context, references);
    }
    std::vector<Traced> traces =
        all_ && references.empty() ? trace_all(context) : std::vector<Traced>();
    if (names_host()) {
      references = readable_streams_of(context, references.front());
    }
    const Exit status = context.for_each<Reference>(references, [&](const Reference& wanted) {
      traces.push_back(wanted.address ? trace_afar(context, wanted)
                                      : trace(context, context.open(wanted, Access::read)));
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
  /// With --all and --graph an address alone is in the place of REF.
  [[nodiscard]] bool names_host() const {
    return (all_ || graph_) && refs_.size() == 1 && split_address(refs_.front()).address &&
           split_address(refs_.front()).rest.empty();
  }

  [[nodiscard]] static std::vector<Reference> readable_streams_of(const Context& context,
                                                                  const Reference& all) {
    std::vector<Reference> streams;
    for (const Watched& watched : context.afar(*all.address).look({}).streams) {
      if (!watched.description.unreadable) {
        streams.push_back(all);
        streams.back().name = watched.description.name;
      }
    }
    return streams;
  }

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
    if (!refs_.empty() && (all_ || graph_) && !names_host()) {
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
    }
    note_unfinished(context, stream.name(), snapshot.state);
    const bool is_triggered = !entries.empty() && entries.front().trigger_inode != 0;
    const FrameWriter writer = writer_of(stream, entries);
    std::vector<Hop> hops = hops_of(stream.name(), entries,
                                    is_triggered ? names(context) : std::map<ino_t, std::string>());
    tell_origin(hops, [&context](const std::string& name) {
      return Stream::open(stream_path(context.search_path().shm, name), Access::read)
          .keywords()
          .all();
    });
    ProcessTable processes = writers_of(context, hops);
    const Process writing = processes.look_up(writer.pid, stream);
    return {stream.name(), std::move(processes), std::move(hops),
            writer.is_traced ? "" : untraced_in_words(stream.cnt0(), writing, entries.empty()),
            writer.is_traced ? end_to_end(entries) : std::nullopt};
  }

  /// One that we do not see may live elsewhere, as the stream knows that it wrote.
  [[nodiscard]] static ProcessTable writers_of(const Context& context, std::span<const Hop> hops) {
    ProcessTable processes;
    for (const Hop& hop : hops) {
      if (processes.look_up(hop.entry.pid).is_dead()) {
        try {
          processes.look_up(
              hop.entry.pid,
              Stream::open(stream_path(context.search_path().shm, hop.stream), Access::read));
        } catch (const Error&) {
          // It is not there any more, and tells nothing.
        }
      }
    }
    return processes;
  }

  [[nodiscard]] static Traced trace_afar(const Context& context, const Reference& wanted) {
    Sight sight = context.afar(*wanted.address).look_at_one(wanted.name);
    const Description& there = sight.streams.front().description;
    if (there.unreadable) {
      throw Error(there.unreadable->problem, wanted.name, there.unreadable->why);
    }
    require_type(wanted.name, there.format, wanted.type);
    note_unfinished(context, wanted.name, there.state);
    std::vector<Hop> hops = hops_of(wanted.name, there.trace, sight.names);
    tell_origin(hops, [&](const std::string& name) {
      Reference other = wanted;
      other.name = name;
      other.type.reset();
      return context.describe_afar(other).keywords;
    });
    return {wanted.name, sight.process_table(), std::move(hops),
            there.is_traced
                ? ""
                : untraced_in_words(there.header.cnt0, there.writer, there.trace.empty()),
            there.is_traced ? end_to_end(there.trace) : std::nullopt};
  }

  static void note_unfinished(const Context& context, const std::string& name, FrameState state) {
    if (state != FrameState::whole) {
      context.note(name, fmt::format("{}; its trace may be of two frames",
                                     state == FrameState::busy ? "is in the middle of being written"
                                                               : "holds an unfinished frame"));
    }
  }

  void print_traces(const Context& context, std::vector<Traced>& traces) const {
    if (budget_ && context.quiet()) {
      return;  // the exit status is what was asked for
    }
    bool is_first = true;
    for (Traced& traced : traces) {
      if (context.json()) {
        for (const Hop& hop : traced.hops) {
          write_stdout(to_json_line(record_of(traced, hop)));
        }
      } else {
        write_stdout((is_first ? "" : "\n") + table_of(traced));
      }
      is_first = false;
    }
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
  Exit follow(const Context& context, const Reference& wanted, std::optional<ino_t> from) {
    // Read-only: counts are watched, and no semaphore is claimed.
    FollowOptions options;
    options.cancelled = is_writing_over;
    if (wanted.address) {
      Sight sight = context.afar(*wanted.address).look_at_one(wanted.name);
      processes_ = sight.process_table();
      names_ = std::move(sight.names);
    }
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
      const auto latency = from ? delay_from(frame.trace, *from) : end_to_end(frame.trace);
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

  /// By which traces know it, where it is.
  [[nodiscard]] static ino_t inode_of(const Context& context, const Reference& wanted) {
    return wanted.address ? context.describe_afar(wanted).identity.inode
                          : context.open(wanted, Access::read).identity().inode;
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
      Traced traced{name, processes_, hops_of(name, slow.trace, names(context)), "", slow.latency};
      if (context.json()) {
        for (const Hop& hop : traced.hops) {
          Record step = record_of(traced, hop);
          step["frame"] = slow.cnt0;
          write_stdout(to_json_line(step));
        }
      } else {
        write_stdout(fmt::format("\nframe {}\n{}", slow.cnt0, table_of(traced)));
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
    const std::unique_ptr<Scene> scene = scene_of(context, references, {"*"});
    std::vector<ino_t> wanted_inodes;
    const std::vector<Reference> named = names_host() ? std::vector<Reference>() : references;
    const Exit status = context.for_each<Reference>(named, [&](const Reference& wanted) {
      wanted_inodes.push_back(inode_of(context, wanted));  // there, and of the type demanded
    });
    scene->look(Scene::Look::measured);
    const auto interval = over_.value_or(std::chrono::milliseconds{250});
    const bool is_measured = interval.count() > 0;
    if (is_measured) {
      sleep_until(std::chrono::steady_clock::now() + interval);
      scene->look(Scene::Look::measured);
    }
    const Exit is_whole = context.report_left_out(scene->streams(), &Watched::description);
    Graph graph = graph_of(scene->streams(), scene->removed(), scene->processes());
    for (GraphNode& node : graph.nodes) {
      node.rate = is_measured ? node.rate : std::nullopt;
    }
    const std::vector<bool> is_shown = leading_to(graph, marked(graph, named, wanted_inodes));
    write_stdout(dot_             ? to_dot(graph, is_shown)
                 : context.json() ? to_json_line(to_record(graph))
                                  : to_tree(graph));
    return status == Exit::done ? is_whole : status;
  }

  /// The streams that were asked for: all, where none was.
  [[nodiscard]] static std::vector<bool> marked(const Graph& graph,
                                                const std::vector<Reference>& references,
                                                const std::vector<ino_t>& inodes) {
    std::vector<bool> marks(graph.nodes.size(), references.empty());
    for (const ino_t inode : inodes) {
      for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        marks[i] = marks[i] || graph.nodes[i].inode == inode;
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
  ProcessTable processes_;
};

const Registration trace_registration("trace",
                                      "show who made a stream's frame, and what triggered it",
                                      {"SE", false, true},
                                      {.missing = "shmim-ls", .similar = "shmim-trace {}"},
                                      make<Trace>, {"shmim-trace roi", "shmim-trace --graph"});

}  // namespace
}  // namespace shmim::tools
