#include "shmim/graph.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace shmim {
namespace {

class Builder {
 public:
  Builder(std::span<const Watched> streams, std::span<const HolderTable::Removed> removed,
          ProcessTable& processes)
      : streams_(streams), removed_(removed), processes_(processes) {}

  Graph build() {
    add_live();
    for (std::size_t i = 0; i < readable_.size(); ++i) {
      add_newest_step(i);
    }
    for (std::size_t i = 0; i < readable_.size(); ++i) {
      add_older_steps(i);
    }
    for (std::size_t i = 0; i < readable_.size(); ++i) {
      add_by_process(i);
    }
    return std::move(graph_);
  }

 private:
  void add_live() {
    // A link is another name of a stream, unless it is the only one here.
    for (const bool is_link : {false, true}) {
      for (const Watched& watched : streams_) {
        const Description& description = watched.description;
        const ino_t inode = description.identity.inode;
        if (description.unreadable || description.target.has_value() != is_link ||
            (is_link && by_inode_.contains(inode))) {
          continue;
        }
        GraphNode node;
        node.name = description.name;
        node.inode = inode;
        node.rate = watched.rate.hertz;
        by_inode_.emplace(inode, graph_.nodes.size());
        readable_.push_back(&description);
        graph_.nodes.push_back(std::move(node));
      }
    }
  }

  /// The node of a trigger inode, which may be of no stream that there is now. `writer` wrote that
  /// stream, where this is known, and `moment` was when it triggered.
  std::size_t node_of(ino_t inode, pid_t writer, Tai moment) {
    const auto [known, is_new] = by_inode_.try_emplace(inode, graph_.nodes.size());
    if (is_new) {
      GraphNode node;
      node.inode = inode;
      node.name = former_name(inode, writer, moment);
      const bool has_successor = std::any_of(
          readable_.begin(), readable_.end(),
          [&](const Description* description) { return description->name == node.name; });
      node.state = has_successor ? GraphNode::State::recreated : GraphNode::State::gone;
      graph_.nodes.push_back(std::move(node));
    }
    return known->second;
  }

  /// The name that a stream had: known of one that some process still has, and to be told of one
  /// whose writer has made exactly one stream since then.
  [[nodiscard]] std::string former_name(ino_t inode, pid_t writer, Tai moment) const {
    for (const HolderTable::Removed& removed : removed_) {
      if (removed.identity.inode == inode && is_of_this_directory(removed)) {
        return stream_name(removed.path);
      }
    }
    const Description* successor = nullptr;
    for (const Description* description : readable_) {
      const bool is_its =
          writer != 0 && (description->writer.pid == writer || description->creator.pid == writer);
      if (is_its && description->created() > moment) {
        if (successor != nullptr) {
          return {};
        }
        successor = description;
      }
    }
    return successor == nullptr ? std::string() : successor->name;
  }

  [[nodiscard]] bool is_of_this_directory(const HolderTable::Removed& removed) const {
    return std::any_of(readable_.begin(), readable_.end(), [&](const Description* description) {
      return description->identity.device == removed.identity.device;
    });
  }

  void add_edge(std::size_t from, std::size_t to, pid_t pid,
                std::optional<std::chrono::nanoseconds> latency, bool traced) {
    if (edges_.try_emplace({from, to}, graph_.edges.size()).second) {
      GraphEdge edge;
      edge.from = from;
      edge.to = to;
      edge.process = processes_.look_up(pid);
      edge.traced = traced;
      edge.latency = latency;
      graph_.edges.push_back(std::move(edge));
    }
  }

  std::size_t add_step(const std::vector<TraceEntry>& trace, std::size_t step, std::size_t to) {
    const TraceEntry& entry = trace[step];
    const pid_t trigger_writer = step + 1 < trace.size() ? trace[step + 1].pid : 0;
    const std::size_t from = node_of(entry.trigger_inode, trigger_writer, entry.triggered);
    add_edge(from, to, entry.pid, latency_of(trace, step), true);
    return from;
  }

  void add_newest_step(std::size_t node) {
    const std::vector<TraceEntry>& trace = readable_[node]->trace;
    if (!trace.empty() && trace.front().trigger_inode != 0) {
      add_step(trace, 0, node);
    }
  }

  /// Steps between streams that are no more: a live stream's own trace knows better.
  void add_older_steps(std::size_t node) {
    const std::vector<TraceEntry>& trace = readable_[node]->trace;
    std::size_t to = node;
    for (std::size_t step = 0; step < trace.size() && trace[step].trigger_inode != 0; ++step) {
      const bool is_live = graph_.nodes[to].state == GraphNode::State::live;
      to = step == 0 || !is_live
               ? add_step(trace, step, to)
               : node_of(trace[step].trigger_inode,
                         step + 1 < trace.size() ? trace[step + 1].pid : 0, trace[step].triggered);
    }
  }

  /// Programs that write no trace: they wait on a semaphore of one stream and write another.
  void add_by_process(std::size_t to) {
    const Process& writer = readable_[to]->writer;
    if (writer.is_dead()) {
      return;
    }
    for (std::size_t from = 0; from < readable_.size(); ++from) {
      const auto& semaphores = readable_[from]->semaphores;
      const bool waits = std::any_of(
          semaphores.begin(), semaphores.end(),
          [&](const SemaphoreState& semaphore) { return semaphore.reader.pid == writer.pid; });
      if (waits) {
        add_edge(from, to, writer.pid, std::nullopt, false);
      }
    }
  }

  std::span<const Watched> streams_;
  std::span<const HolderTable::Removed> removed_;
  ProcessTable& processes_;
  Graph graph_;
  std::vector<const Description*> readable_;  ///< of the live nodes, in their order
  std::map<ino_t, std::size_t> by_inode_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> edges_;
};

/// Tarjan's strongly connected components, without recursion: a hostile trace may be long.
class LoopFinder {
 public:
  explicit LoopFinder(Graph& graph)
      : graph_(graph),
        next_(graph.nodes.size()),
        index_(graph.nodes.size(), unvisited),
        low_(graph.nodes.size()),
        component_(graph.nodes.size(), unvisited) {
    for (const GraphEdge& edge : graph.edges) {
      next_[edge.from].push_back(edge.to);
    }
  }

  void mark() {
    for (std::size_t node = 0; node < next_.size(); ++node) {
      if (index_[node] == unvisited) {
        visit(node);
      }
    }
    for (GraphEdge& edge : graph_.edges) {
      edge.in_loop = component_[edge.from] == component_[edge.to];
      if (edge.in_loop) {
        graph_.nodes[edge.from].in_loop = graph_.nodes[edge.to].in_loop = true;
      }
    }
  }

 private:
  static constexpr std::size_t unvisited = static_cast<std::size_t>(-1);
  struct Frame {
    std::size_t node;
    std::size_t edge;
  };

  void enter(std::size_t node) {
    index_[node] = low_[node] = count_++;
    open_.push_back(node);
    frames_.push_back({node, 0});
  }

  void visit(std::size_t root) {
    enter(root);
    while (!frames_.empty()) {
      const std::size_t node = frames_.back().node;
      if (frames_.back().edge < next_[node].size()) {
        const std::size_t target = next_[node][frames_.back().edge++];
        if (index_[target] == unvisited) {
          enter(target);
        } else if (component_[target] == unvisited) {
          low_[node] = std::min(low_[node], index_[target]);
        }
        continue;
      }
      frames_.pop_back();
      if (!frames_.empty()) {
        low_[frames_.back().node] = std::min(low_[frames_.back().node], low_[node]);
      }
      if (low_[node] == index_[node]) {
        close(node);
      }
    }
  }

  void close(std::size_t root) {
    std::size_t node = 0;
    do {
      node = open_.back();
      open_.pop_back();
      component_[node] = root;
    } while (node != root);
  }

  Graph& graph_;
  std::vector<std::vector<std::size_t>> next_;
  std::vector<std::size_t> index_;
  std::vector<std::size_t> low_;
  std::vector<std::size_t> component_;
  std::vector<std::size_t> open_;
  std::vector<Frame> frames_;
  std::size_t count_ = 0;
};

}  // namespace

Graph graph_of(std::span<const Watched> streams, std::span<const HolderTable::Removed> removed,
               ProcessTable& processes) {
  Graph graph = Builder(streams, removed, processes).build();
  LoopFinder(graph).mark();
  return graph;
}

std::vector<bool> leading_to(const Graph& graph, std::vector<bool> marked) {
  for (bool grows = true; grows;) {
    grows = false;
    for (const GraphEdge& edge : graph.edges) {
      if (marked[edge.to] && !marked[edge.from]) {
        marked[edge.from] = grows = true;
      }
    }
  }
  return marked;
}

std::vector<Hop> hops_of(std::string_view name, std::span<const TraceEntry> trace,
                         const std::map<ino_t, std::string>& names) {
  const std::span<const TraceEntry> chain = chain_of(trace);
  std::vector<Hop> hops;
  std::string written(name);
  for (std::size_t step = 0; step < chain.size(); ++step) {
    const ino_t inode = chain[step].trigger_inode;
    std::string trigger;
    if (inode != 0) {
      const auto known = names.find(inode);
      trigger = known == names.end() ? fmt::format("inode {}", inode) : known->second;
    }
    hops.push_back({chain[step], std::move(written), trigger, latency_of(chain, step)});
    written = std::move(trigger);
  }
  return hops;
}

}  // namespace shmim
