#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
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
    made_anew,  ///< the stream of this name is another now
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
  std::optional<Tai> latency;  ///< from the writing of the trigger's frame to this writing
  bool in_loop = false;        ///< part of a way that comes back to where it began
};

/// The pipeline, told from what the streams themselves hold: no process needs to register.
struct Graph {
  std::vector<GraphNode> nodes;  ///< the live ones first, in the order given
  std::vector<GraphEdge> edges;
};

/// The graph of these streams. `removed`, of a HolderTable, gives names to streams that have none
/// any more.
SHMIM_EXPORT Graph graph_of(std::span<const Watched> streams,
                            std::span<const HolderTable::Removed> removed, ProcessTable& processes);

/// The steps that led to the newest, newest first. What stands behind a step that nothing triggered
/// was left by an older frame: a writer without a trigger writes the first entry and no more.
SHMIM_EXPORT std::span<const TraceEntry> chain_of(std::span<const TraceEntry> trace) noexcept;

/// Time from one step of a trace (newest first) to what triggered it: from the writing of the
/// trigger's frame where the trace tells, else from the trigger; nothing where nothing triggered
/// it.
SHMIM_EXPORT std::optional<Tai> latency_of(std::span<const TraceEntry> trace, std::size_t step);
/// Time from the oldest step of a trace's chain to the newest; nothing where there is one step, and
/// nothing triggered it.
SHMIM_EXPORT std::optional<Tai> end_to_end(std::span<const TraceEntry> trace);

}  // namespace shmim
