#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "shmim/description.hpp"
#include "shmim/directory.hpp"
#include "shmim/export.hpp"
#include "shmim/trace.hpp"
#include "shmim/watch.hpp"

namespace shmim {

/// A stream in the graph of who is triggered by whom.
struct GraphNode {
  enum class State {
    live,
    recreated,  ///< the stream of this name is another now
    gone,       ///< no stream has this name, or the name is not known
  };
  State state = State::live;
  std::string name;  ///< empty where it is not known
  ino_t inode = 0;
  std::optional<double> rate;  ///< frames per second, where it has been measured
  bool in_loop = false;        ///< one can go from it along the edges and come back
};

/// Somebody is triggered by one stream and writes another.
struct GraphEdge {
  std::size_t from = 0;  ///< index of the trigger stream among the nodes
  std::size_t to = 0;    ///< of the stream that was written
  Process process;       ///< who does
  /// True where the trace says so. False: told from PIDs alone, the process waits on a semaphore of
  /// the one and writes the other, and writes no trace.
  bool traced = true;
  std::optional<std::chrono::nanoseconds>
      latency;           ///< from the writing of the trigger's frame to this writing
  bool in_loop = false;  ///< part of a way that comes back to where it began
};

/// The pipeline, told from what the streams themselves hold: no process needs to register.
struct Graph {
  std::vector<GraphNode> nodes;  ///< the live ones first, in the order given
  std::vector<GraphEdge> edges;
};

/// The graph of these streams. `removed`, of a HolderTable, gives names to streams that have none
/// any more.
[[nodiscard]] SHMIM_EXPORT Graph graph_of(std::span<const Watched> streams,
                                          std::span<const HolderTable::Removed> removed,
                                          ProcessTable& processes);

/// Of the nodes marked true, and those from which one comes to them along the edges: what leads to
/// them. `marked` has an element for each node, as has what is returned.
[[nodiscard]] SHMIM_EXPORT std::vector<bool> leading_to(const Graph& graph,
                                                        std::vector<bool> marked);

/// A step that led to a stream's newest frame, and what follows from the step before it.
struct Hop {
  TraceEntry entry;
  std::string stream;   ///< that was written; `inode N` if there is none with that inode now
  std::string trigger;  ///< what triggered it, named the same way; empty where nothing did
  std::optional<std::chrono::nanoseconds> latency;  ///< as latency_of() tells
};

/// The chain of a trace, newest first, of the stream `name`. `names` must have the streams that it
/// passed, see names_by_inode().
[[nodiscard]] SHMIM_EXPORT std::vector<Hop> hops_of(std::string_view name,
                                                    std::span<const TraceEntry> trace,
                                                    const std::map<ino_t, std::string>& names);

}  // namespace shmim
