#include "common/print/graph_text.hpp"

#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

const char* words(GraphNode::State state) noexcept {
  switch (state) {
    case GraphNode::State::live:
      return "live";
    case GraphNode::State::recreated:
      return "re-created";
    case GraphNode::State::gone:
      break;
  }
  return "gone";
}

std::string words(const GraphNode& node) {
  const std::string name = node.name.empty() ? fmt::format("inode {}", node.inode) : node.name;
  return node.state == GraphNode::State::live ? name
                                              : fmt::format("{} ({})", name, words(node.state));
}

/// `25.0us`, with the rate before it where it was measured.
std::string pace(const Graph& graph, const GraphEdge& edge) {
  std::string text;
  if (const auto& rate = graph.nodes[edge.to].rate) {
    text = rate_in_words(rate);
  }
  if (edge.latency) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", in_words(*edge.latency));
  }
  return text;
}

// A tree is told branch by branch, each stream once.
// NOLINTNEXTLINE(misc-no-recursion)
void add_branches(const Graph& graph, std::size_t node, std::size_t depth,
                  std::set<std::size_t>& told, std::string& text) {
  told.insert(node);
  for (const GraphEdge& edge : graph.edges) {
    if (edge.from != node) {
      continue;
    }
    const bool is_told = told.contains(edge.to);
    const std::string speed = pace(graph, edge);
    text += fmt::format("{:{}}-> {}{}{} by {}{}{}\n", "", 3 * depth - 1,
                        printable(words(graph.nodes[edge.to])), speed.empty() ? "" : " ", speed,
                        in_words(edge.process), edge.traced ? "" : ", without a trace",
                        edge.in_loop ? is_told ? ", back in the loop" : ", in a loop"
                        : is_told    ? ", see above"
                                     : "");
    if (!is_told) {
      add_branches(graph, edge.to, depth + 1, told, text);
    }
  }
}

}  // namespace

std::string to_dot(const Graph& graph, const std::vector<bool>& is_shown) {
  std::map<std::string, int> uses;
  for (const GraphNode& node : graph.nodes) {
    ++uses[words(node)];
  }
  // To Graphviz nodes of one name are one: two streams that had a name one after the other are not.
  const auto id = [&](const GraphNode& node) {
    const std::string name = words(node);
    return quoted(uses[name] == 1 ? name : fmt::format("{}\ninode {}", name, node.inode));
  };
  std::string text = "digraph streams {\n  rankdir=LR;\n  node [shape=box];\n";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_shown[i]) {
      text += fmt::format("  {}{};\n", id(graph.nodes[i]),
                          graph.nodes[i].state == GraphNode::State::live ? "" : " [style=dashed]");
    }
  }
  for (const GraphEdge& edge : graph.edges) {
    if (is_shown[edge.to]) {
      const std::string speed = pace(graph, edge);
      text += fmt::format("  {} -> {} [label={}{}{}];\n", id(graph.nodes[edge.from]),
                          id(graph.nodes[edge.to]),
                          quoted(in_words(edge.process) + (speed.empty() ? "" : "\n" + speed)),
                          edge.traced ? "" : " style=dotted", edge.in_loop ? " color=red" : "");
    }
  }
  return text + "}\n";
}

Record to_record(const Graph& graph) {
  Record nodes = Record::array();
  Record edges = Record::array();
  for (const GraphNode& node : graph.nodes) {
    nodes.push_back({{"name", node.name.empty() ? Record() : Record(node.name)},
                     {"inode", node.inode},
                     {"state", words(node.state)},
                     {"rate", node.rate ? Record(*node.rate) : Record()},
                     {"loop", node.in_loop}});
  }
  for (const GraphEdge& edge : graph.edges) {
    const auto& rate = graph.nodes[edge.to].rate;
    edges.push_back({{"from", words(graph.nodes[edge.from])},
                     {"from_inode", graph.nodes[edge.from].inode},
                     {"to", words(graph.nodes[edge.to])},
                     {"to_inode", graph.nodes[edge.to].inode},
                     {"process", to_json(edge.process)},
                     {"traced", edge.traced},
                     {"latency", edge.latency ? Record(Seconds(*edge.latency).count()) : Record()},
                     {"rate", rate ? Record(*rate) : Record()},
                     {"loop", edge.in_loop}});
  }
  return {{"nodes", nodes}, {"edges", edges}};
}

std::string to_tree(const Graph& graph) {
  std::vector<bool> has_trigger(graph.nodes.size());
  for (const GraphEdge& edge : graph.edges) {
    has_trigger[edge.to] = has_trigger[edge.to] || edge.from != edge.to;
  }
  std::string text;
  std::set<std::size_t> told;
  // What nothing triggers first; of a loop that nothing leads into, any one.
  for (const bool is_triggered : {false, true}) {
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      if (has_trigger[node] == is_triggered && !told.contains(node)) {
        const auto& rate = graph.nodes[node].rate;
        text += fmt::format("{}{}\n", printable(words(graph.nodes[node])),
                            rate ? " " + rate_in_words(rate) : "");
        add_branches(graph, node, 1, told, text);
      }
    }
  }
  return text;
}

}  // namespace shmim::tools
