#include <utility>

#include "shmim/pattern.hpp"
#include "shmim/process.hpp"
#include "shmim/sight.hpp"

namespace shmim {
namespace {

void look_for_holders(Sight& sight, const SightRequest& request, ProcessTable& processes) {
  std::vector<Identity> files;
  for (const Watched& watched : sight.streams) {
    files.push_back(watched.description.identity);
  }
  const HolderTable table(files);
  if (request.surroundings) {
    sight.removed = table.removed();
  }
  if (!request.holders) {
    return;
  }
  for (const Identity& file : files) {
    Holders& holders = sight.holders.emplace_back(table.holders_of(file));
    // We may have it open ourselves, to look at it.
    std::erase(holders.processes, this_process());
    for (const pid_t holder : holders.processes) {
      static_cast<void>(processes.look_up(holder));
    }
  }
}

}  // namespace

Sight look_at(const std::filesystem::path& directory, const SightRequest& request,
              Watcher* watcher) {
  Sight sight;
  sight.host = host_name();
  ProcessTable own_table;
  ProcessTable& processes = watcher != nullptr ? watcher->processes() : own_table;
  if (watcher != nullptr && request.rates) {
    watcher->look();
    for (const Watched& watched : watcher->streams()) {
      if (matches_any(request.patterns, watched.description.name)) {
        sight.streams.push_back(watched);
      }
    }
  } else {
    processes.forget();
    for (const std::string& name : list_streams(directory)) {
      if (matches_any(request.patterns, name)) {
        sight.streams.push_back({describe(stream_path(directory, name), processes), {}, {}, 0});
      }
    }
  }
  if (request.holders || request.surroundings) {
    look_for_holders(sight, request, processes);
  }
  if (request.surroundings) {
    sight.names = names_by_inode(directory);
  }
  for (const Watched& watched : sight.streams) {
    for (const TraceEntry& step : watched.description.trace) {
      static_cast<void>(processes.look_up(step.pid));
    }
  }
  sight.processes = processes.known();
  return sight;
}

}  // namespace shmim
