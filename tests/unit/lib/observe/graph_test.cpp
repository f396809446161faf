#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

Watched watched(const std::string& name, ino_t inode, std::vector<TraceEntry> trace) {
  Watched result;
  result.description.name = name;
  result.description.identity = {1, inode};
  result.description.trace = std::move(trace);
  if (!result.description.trace.empty()) {
    result.description.writer.pid = result.description.trace.front().pid;
  }
  return result;
}

TraceEntry step(pid_t pid, ino_t trigger, std::int64_t triggered, std::int64_t written) {
  TraceEntry entry;
  entry.pid = pid;
  entry.trigger_inode = trigger;
  entry.triggered = Tai{std::chrono::nanoseconds{triggered}};
  entry.written = Tai{std::chrono::nanoseconds{written}};
  return entry;
}

/// `cam -> roi 25`, and what is special about ends and edge.
std::vector<std::string> edges_of(const Graph& graph) {
  std::vector<std::string> texts;
  const auto words = [&](std::size_t index) {
    const GraphNode& node = graph.nodes[index];
    return (node.name.empty() ? "inode " + std::to_string(node.inode) : node.name) +
           (node.state == GraphNode::State::gone        ? " (gone)"
            : node.state == GraphNode::State::recreated ? " (made anew)"
                                                        : "");
  };
  for (const GraphEdge& edge : graph.edges) {
    texts.push_back(words(edge.from) + " -> " + words(edge.to) +
                    (edge.latency ? " " + std::to_string(edge.latency->count()) : "") +
                    (edge.traced ? "" : " by PID") + (edge.in_loop ? " loop" : ""));
  }
  return texts;
}

std::vector<std::string> graph_edges(const std::vector<Watched>& streams,
                                     const std::vector<HolderTable::Removed>& removed = {}) {
  ProcessTable processes;
  return edges_of(graph_of(streams, removed, processes));
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a pipeline: each stream's newest step is an edge, with its latency") {
  const std::vector streams{
      watched("cam", 10, {step(100, 0, 0, 1000)}),
      watched("roi", 11, {step(101, 10, 1010, 1025), step(100, 0, 0, 1000)}),
      watched("dm", 12,
              {step(102, 11, 1030, 1045), step(101, 10, 1010, 1025), step(100, 0, 0, 1000)})};
  CHECK(graph_edges(streams) == Texts{"cam -> roi 25", "roi -> dm 20"});
}

TEST_CASE("loops are marked, and what only leads to one is not") {
  const std::vector streams{
      watched("a", 10, {step(1, 12, 0, 1)}), watched("b", 11, {step(2, 10, 0, 1)}),
      watched("c", 12, {step(3, 11, 0, 1)}), watched("d", 13, {step(4, 12, 0, 1)}),
      watched("self", 14, {step(5, 14, 0, 1)})};
  CHECK(graph_edges(streams) == Texts{"c -> a 1 loop", "a -> b 1 loop", "b -> c 1 loop", "c -> d 1",
                                      "self -> self 1 loop"});
  ProcessTable processes;
  const Graph graph = graph_of(streams, {}, processes);
  CHECK(graph.nodes[0].in_loop);
  CHECK_FALSE(graph.nodes[3].in_loop);
}

TEST_CASE("an inode that no stream has: gone, by name where a process still has it") {
  const std::vector streams{watched("out", 12, {step(2, 11, 5, 9), step(1, 10, 1, 4)})};
  CHECK(graph_edges(streams) ==
        Texts{"inode 11 (gone) -> out 5", "inode 10 (gone) -> inode 11 (gone) 3"});
  CHECK(graph_edges(streams, {{{1, 11}, "/dev/shm/mid.im.shm"}, {{2, 10}, "/other/in.im.shm"}}) ==
        Texts{"mid (gone) -> out 5", "inode 10 (gone) -> mid (gone) 3"});
}

TEST_CASE("an inode that no stream has: made anew, by name or by its writer") {
  std::vector streams{watched("out", 12, {step(2, 11, 5, 9), step(1, 0, 0, 4)}),
                      watched("mid", 20, {})};
  CHECK(graph_edges(streams, {{{1, 11}, "/dev/shm/mid.im.shm"}}) ==
        Texts{"mid (made anew) -> out 5"});
  CHECK(graph_edges(streams) == Texts{"inode 11 (gone) -> out 5"});
  streams[1].description.writer.pid = 1;
  streams[1].description.header.creationtime = {0, 7};
  CHECK(graph_edges(streams) == Texts{"mid (made anew) -> out 5"});
  // Made before it triggered: not its successor.
  streams[1].description.header.creationtime = {0, 3};
  CHECK(graph_edges(streams) == Texts{"inode 11 (gone) -> out 5"});
}

TEST_CASE("without a trace: who waits on one stream and writes another") {
  std::vector streams{watched("cam", 10, {}), watched("dm", 11, {})};
  SemaphoreState semaphore;
  semaphore.reader = {77, Liveness::alive, "loop"};
  streams[0].description.semaphores = {semaphore};
  streams[1].description.writer = {77, Liveness::alive, "loop"};
  CHECK(graph_edges(streams) == Texts{"cam -> dm by PID"});
  streams[1].description.writer.liveness = Liveness::dead;
  CHECK(graph_edges(streams).empty());
}

TEST_CASE("links and files that are no streams are no nodes of their own") {
  std::vector streams{watched("alias", 10, {}), watched("cam", 10, {}), watched("far", 11, {}),
                      watched("junk", 12, {})};
  streams[0].description.target = "cam.im.shm";
  streams[2].description.target = "/elsewhere/far.im.shm";
  streams[3].description.unreadable = {Problem::too_short, "is short"};
  ProcessTable processes;
  const Graph graph = graph_of(streams, {}, processes);
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].name == "cam");
  CHECK(graph.nodes[1].name == "far");
}

TEST_CASE("latency of a trace, step by step and end to end") {
  const std::vector trace{step(3, 11, 30, 45), step(2, 10, 10, 25), step(1, 0, 0, 7)};
  CHECK(latency_of(trace, 0) == std::chrono::nanoseconds{20});
  CHECK(latency_of(trace, 1) == std::chrono::nanoseconds{18});
  CHECK_FALSE(latency_of(trace, 2));
  CHECK(end_to_end(trace) == std::chrono::nanoseconds{38});
  CHECK(end_to_end(std::span(trace).first(1)) == std::chrono::nanoseconds{15});
  CHECK_FALSE(end_to_end(std::span(trace).last(1)));
  CHECK_FALSE(end_to_end({}));
  // What an older frame left behind a step that nothing triggered is no part of this one's way.
  const std::vector left{step(4, 0, 0, 50), step(2, 10, 10, 25)};
  CHECK(chain_of(left).size() == 1);
  CHECK(chain_of(trace).size() == 3);
  CHECK_FALSE(end_to_end(left));
}

TEST_CASE("the hops of a frame, by the names of the streams") {
  const std::vector trace{step(3, 11, 30, 45), step(2, 10, 10, 25), step(1, 0, 0, 7),
                          step(9, 12, 1, 2)};
  const auto hops = hops_of("dm", trace, {{10, "cam"}});
  REQUIRE(hops.size() == 3);
  CHECK(hops[0].stream == "dm");
  CHECK(hops[0].trigger == "inode 11");
  CHECK(hops[0].latency == std::chrono::nanoseconds{20});
  CHECK(hops[0].entry.pid == 3);
  CHECK(hops[1].stream == "inode 11");
  CHECK(hops[1].trigger == "cam");
  CHECK(hops[2].stream == "cam");
  CHECK(hops[2].trigger.empty());
  CHECK_FALSE(hops[2].latency);
  CHECK(hops_of("dm", {}, {}).empty());
}

TEST_CASE("what leads to some streams") {
  // cam -> roi -> dm -> roi, roi -> log
  Graph graph;
  graph.nodes.resize(5);  // cam, roi, dm, log, idle
  for (const auto& [from, to] : {std::pair{0, 1}, {1, 2}, {2, 1}, {1, 3}}) {
    GraphEdge edge;
    edge.from = static_cast<std::size_t>(from);
    edge.to = static_cast<std::size_t>(to);
    graph.edges.push_back(edge);
  }
  const auto leading = [&](std::vector<bool> marked) {
    return leading_to(graph, std::move(marked));
  };
  CHECK(leading({false, false, false, false, false}) ==
        std::vector{false, false, false, false, false});
  CHECK(leading({false, false, false, true, false}) == std::vector{true, true, true, true, false});
  CHECK(leading({true, false, false, false, true}) == std::vector{true, false, false, false, true});
}
