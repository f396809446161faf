#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "shmim/directory.hpp"
#include "shmim/export.hpp"
#include "shmim/segment.hpp"

namespace shmim {

/// Why a stream is not stale.
struct InUse {
  enum class Why {
    names_process,  ///< it names a living process as its creator, owner or writer, or as who posted
    is_open,        ///< a process has it open or mapped, in whatever namespace
    not_known,      ///< it cannot be told
  };
  Why why = Why::is_open;
  pid_t process = 0;  ///< of names_process; of is_open, if it is one that was looked for and found
  std::string reason = {};  ///< of not_known
};

/// `process 4711 (cam_grab) has it open`
[[nodiscard]] SHMIM_EXPORT std::string to_string(const InUse& use);

/// What a living process may still have to do with the file of a stream; nullopt if it is stale:
/// nobody has it open, and the processes that it names are dead. The kernel is asked, by a lease
/// (F_SETLEASE), so it holds for processes that we cannot see too; only the owner of the file and
/// root may ask. `holders` tells who has it open, where that can be seen.
[[nodiscard]] SHMIM_EXPORT std::optional<InUse> find_use(const std::filesystem::path& path,
                                                         const HolderTable* holders = nullptr);

/// Removes the file at `path` (a link, not its target) if what it leads to is stale, or says why it
/// is not. Nobody can open it between the one and the other. Throws Error (failed) if it is another
/// than `expected` by now, and as remove_stream().
[[nodiscard]] SHMIM_EXPORT std::optional<InUse> remove_if_stale(const std::filesystem::path& path,
                                                                Identity expected);

}  // namespace shmim
