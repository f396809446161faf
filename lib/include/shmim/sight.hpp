#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "shmim/description.hpp"
#include "shmim/directory.hpp"
#include "shmim/export.hpp"
#include "shmim/watch.hpp"

namespace shmim {

/// What is to be seen of the streams of a directory.
struct SightRequest {
  std::vector<std::string> patterns{"*"};
  bool rates = false;         ///< as a Watcher measures them, from one look to the next
  bool holders = false;       ///< who has each stream open or mapped
  bool surroundings = false;  ///< names by inode, and streams that have lost their name
};

/// What one look at the streams of a host has shown: all of it as it is there, where PIDs and
/// inodes mean something. Whoever has it need look nothing up, nor could he elsewhere.
struct SHMIM_EXPORT Sight {
  std::string host;
  std::vector<Watched> streams;               ///< by name; without rates unless they were asked for
  std::vector<Holders> holders;               ///< of each stream, if asked for
  std::vector<Process> processes;             ///< that the streams name or are held by
  std::map<ino_t, std::string> names;         ///< of streams, if asked for
  std::vector<HolderTable::Removed> removed;  ///< likewise

  /// The processes as a table for whoever describes them.
  [[nodiscard]] ProcessTable process_table() const { return ProcessTable(processes); }
};

/// Looks once. `watcher`, of the same directory, measures the rates that are asked for: over the
/// time since it has looked before. Throws Error (no_directory).
[[nodiscard]] SHMIM_EXPORT Sight look_at(const std::filesystem::path& directory,
                                         const SightRequest& request, Watcher* watcher = nullptr);

/// A Sight as a sequence of maps in CBOR, see shmim-network(5).
[[nodiscard]] SHMIM_EXPORT std::string encode_sight(const Sight& sight);
/// Throws Error (failed) for what is none.
[[nodiscard]] SHMIM_EXPORT Sight decode_sight(std::span<const std::byte> bytes);

}  // namespace shmim
