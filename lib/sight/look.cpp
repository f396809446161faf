#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fnmatch.h>
#include <unistd.h>

#include "shmim/process.hpp"
#include "shmim/sight.hpp"

namespace shmim {
namespace {

bool means(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
  });
}

std::string own_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

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
  sight.host = own_host();
  ProcessTable own_table;
  ProcessTable& processes = watcher != nullptr ? watcher->processes() : own_table;
  if (watcher != nullptr && request.rates) {
    watcher->look();
    for (const Watched& watched : watcher->streams()) {
      if (means(request.patterns, watched.description.name)) {
        sight.streams.push_back(watched);
      }
    }
  } else {
    processes.forget();
    for (const std::string& name : list_streams(directory)) {
      if (means(request.patterns, name)) {
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
