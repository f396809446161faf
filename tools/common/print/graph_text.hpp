#pragma once

#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

// The graph of all streams as text, as Graphviz takes it, and as JSON.

/// Below each stream those that it makes somebody write.
std::string to_tree(const Graph& graph);
/// The nodes that are to be shown, and the edges to them.
std::string to_dot(const Graph& graph, const std::vector<bool>& is_shown);
Record to_record(const Graph& graph);

}  // namespace shmim::tools
