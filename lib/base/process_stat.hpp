#pragma once

#include <optional>
#include <string_view>

namespace shmim {

/// Of a line of /proc/PID/stat, what tells a program from what only bears a PID.
struct ProcessStat {
  char state = '\0';
  bool is_kernel_thread = false;  ///< which has no files, and no memory of its own

  [[nodiscard]] bool has_ended() const noexcept { return state == 'Z' || state == 'X'; }
};
/// nullopt if it is no such line.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view line) noexcept;

}  // namespace shmim
