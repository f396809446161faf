#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "shmim/directory.hpp"
#include "shmim/export.hpp"

namespace shmim {

/// Why a stream is not stale.
struct InUse {
  enum class Why {
    names_process,  ///< it names a living process as its creator, owner or writer, or as who posted
    is_open,        ///< a living process has it open or mapped
    may_be_open,    ///< there are processes that we may not look into
  };
  Why why = Why::is_open;
  pid_t process = 0;        ///< of names_process and is_open
  std::size_t unknown = 0;  ///< of may_be_open: how many processes
};

/// `process 4711 (cam_grab) has it open`
[[nodiscard]] SHMIM_EXPORT std::string to_string(const InUse& use);

/// What a living process may still have to do with the file of a stream; nullopt if the file is
/// stale: nobody has it open, and the processes that it names are dead. Looks at every process,
/// which takes milliseconds.
[[nodiscard]] SHMIM_EXPORT std::optional<InUse> find_use(const std::filesystem::path& path);
/// For many files after one look at the processes, `holders`. A file that it does not cover is
/// looked for again.
[[nodiscard]] SHMIM_EXPORT std::optional<InUse> find_use(const std::filesystem::path& path,
                                                         const HolderTable& holders);

}  // namespace shmim
