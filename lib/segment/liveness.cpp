#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/read_text.hpp"
#include "shmim/process.hpp"
#include "shmim/segment.hpp"

namespace shmim {
namespace {

/// True unless the PIDs that we see are of a namespace within another, as in a container.
bool is_in_first_namespace() noexcept {
  static const bool is_first = [] {
    constexpr std::string_view first = "pid:[4026531836]";  // PROC_PID_INIT_INO of the kernel
    std::array<char, 64> link{};
    const ssize_t length = ::readlink("/proc/self/ns/pid", link.data(), link.size());
    return length > 0 && std::string_view(link.data(), static_cast<std::size_t>(length)) == first;
  }();
  return is_first;
}

/// Whether the process has the file open or mapped; nullopt where we may not look.
std::optional<bool> has_open(pid_t pid, Identity file) {
  std::error_code error;
  const std::filesystem::path descriptors = fmt::format("/proc/{}/fd", pid);
  for (std::filesystem::directory_iterator entry(descriptors, error), end; !error && entry != end;
       entry.increment(error)) {
    if (identity_of(entry->path()) == file) {
      return true;
    }
  }
  if (error == std::errc::permission_denied || error == std::errc::operation_not_permitted) {
    return std::nullopt;
  }
  const auto mappings = read_text(fmt::format("/proc/{}/maps", pid));
  if (!mappings && (errno == EACCES || errno == EPERM)) {
    return std::nullopt;
  }
  // addresses permissions offset major:minor inode path
  const std::string ours = fmt::format(" {:02x}:{:02x} {} ", gnu_dev_major(file.device),
                                       gnu_dev_minor(file.device), file.inode);
  return mappings && mappings->find(ours) != std::string::npos;
}

}  // namespace

Liveness Segment::liveness_of(pid_t pid) const noexcept {
  if (pid <= 0) {
    return Liveness::dead;
  }
  if (is_announced(pid)) {
    return Liveness::alive;
  }
  if (!is_in_first_namespace()) {
    return Liveness::unknown;
  }
  if (!is_alive(pid)) {
    return Liveness::dead;
  }
  try {
    const auto found = has_open(pid, identity_);
    return !found ? Liveness::unknown : *found ? Liveness::alive : Liveness::dead;
  } catch (...) {
    return Liveness::unknown;  // without memory to look
  }
}

std::string Segment::describe_user(pid_t pid, bool is_known_alive) const {
  if (is_alive(pid) && has_open(pid, identity_).value_or(true)) {
    return describe_process(pid);
  }
  return fmt::format("{} ({})", pid,
                     is_known_alive || is_announced(pid) ? "in another PID namespace" : "dead");
}

}  // namespace shmim
