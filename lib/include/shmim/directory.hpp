#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/segment.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// Where streams live: MILK_SHM_DIR, else /milk/shm if it is a directory, else /dev/shm. Throws
/// Error (no_directory) if MILK_SHM_DIR is set to what is not a directory.
[[nodiscard]] SHMIM_EXPORT std::filesystem::path default_shm_directory();

/// `directory`, if it is one. Throws Error (no_directory).
[[nodiscard]] SHMIM_EXPORT std::filesystem::path require_directory(
    const std::filesystem::path& directory);

/// Path of the stream `name` in `directory`.
[[nodiscard]] SHMIM_EXPORT std::filesystem::path stream_path(const std::filesystem::path& directory,
                                                             std::string_view name);

/// Names of the streams in `directory` that match a shell pattern, sorted. Whatever carries the
/// suffix is listed, readable or not. Throws Error (no_directory, no_permission).
[[nodiscard]] SHMIM_EXPORT std::vector<std::string> list_streams(
    const std::filesystem::path& directory, const std::string& pattern = "*");

/// Names of the streams in `directory` by the inodes that traces know them by. A link is another
/// name of a stream, and gives it only where it has none here. Throws as list_streams() does.
[[nodiscard]] SHMIM_EXPORT std::map<ino_t, std::string> names_by_inode(
    const std::filesystem::path& directory);

/// Who may still be using a stream file.
struct Holders {
  std::vector<pid_t> processes;  ///< that have it open or mapped
  std::vector<pid_t> unknown;    ///< that we may not look into, and must take for holders
};

/// Who has which of a list of files open or mapped, from one look at every process.
class SHMIM_EXPORT HolderTable {
 public:
  explicit HolderTable(std::span<const Identity> files);

  /// True of a file of the list.
  [[nodiscard]] bool covers(Identity file) const;
  /// Nothing is known of files that are not of the list.
  [[nodiscard]] Holders holders_of(Identity file) const;
  /// Processes that we may not look into, whatever the file.
  [[nodiscard]] const std::vector<pid_t>& unknown() const noexcept { return unknown_; }

  /// A stream that has lost its name while a process still had it open or mapped.
  struct Removed {
    Identity identity;
    std::filesystem::path path;  ///< that it had
  };
  [[nodiscard]] const std::vector<Removed>& removed() const noexcept { return removed_; }

 private:
  struct Use {
    Identity file;
    pid_t process = 0;
  };
  void look_at_open_files(pid_t process);
  void look_at_mappings(pid_t process);
  void add(Identity file, pid_t process);
  void add_removed(Identity file, std::string_view path);
  std::vector<Identity> files_;
  std::vector<Use> uses_;
  std::vector<pid_t> unknown_;
  std::vector<Removed> removed_;
};

/// Who has one file open or mapped, from a look at every process.
[[nodiscard]] SHMIM_EXPORT Holders holders_of(Identity identity);

/// The streams that have lost their name while a process still has them open or mapped, from a look
/// at every process.
[[nodiscard]] SHMIM_EXPORT std::vector<HolderTable::Removed> removed_streams();

/// Removes the file of a stream (a link, not its target) if it is still the one that `expected`
/// says, and wakes whoever waits on it. False if it was replaced or removed meanwhile. Throws
/// Error (no_permission).
[[nodiscard]] SHMIM_EXPORT bool remove_stream(const std::filesystem::path& path, Identity expected);

}  // namespace shmim
