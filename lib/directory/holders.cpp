#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <memory>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/process_stat.hpp"
#include "base/read_text.hpp"
#include "shmim/directory.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

constexpr std::string_view deleted = " (deleted)";  // how the kernel marks a file without a name

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

class NotPermitted {};

/// All of a file of /proc; nothing where the process has gone. Throws NotPermitted.
std::optional<std::string> read_process(const std::string& path) {
  auto text = read_text(path);
  if (!text && (errno == EACCES || errno == EPERM)) {
    throw NotPermitted{};
  }
  return text;
}

/// True unless it is a user's process: a kernel thread, which has no files and no memory of its own
/// though we may not look, or one that has ended meanwhile.
bool is_no_user_process(pid_t process) {
  const auto line = read_process(fmt::format("/proc/{}/stat", process));
  const auto stat = parse_process_stat(line.value_or(""));
  return !stat || stat->is_kernel_thread;
}

bool is_before(const Identity& a, const Identity& b) noexcept {
  return a.device != b.device ? a.device < b.device : a.inode < b.inode;
}

/// Takes the next word off a line.
std::string_view next_word(std::string_view& line) noexcept {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return word;
}

}  // namespace

HolderTable::HolderTable(std::span<const Identity> files) : files_(files.begin(), files.end()) {
  std::sort(files_.begin(), files_.end(), is_before);
  const OpenDirectory directory(::opendir("/proc"));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const auto process = parse_number<pid_t>(static_cast<const char*>(entry->d_name));
    if (!process) {
      continue;
    }
    try {
      look_at_open_files(*process);
      look_at_mappings(*process);
    } catch (const NotPermitted&) {
      if (!is_no_user_process(*process)) {
        unknown_.push_back(*process);
      }
    }
  }
  std::sort(unknown_.begin(), unknown_.end());
  std::sort(uses_.begin(), uses_.end(), [](const Use& a, const Use& b) {
    return a.file == b.file ? a.process < b.process : is_before(a.file, b.file);
  });
}

void HolderTable::look_at_open_files(pid_t process) {
  const std::string path = fmt::format("/proc/{}/fd", process);
  const OpenDirectory directory(::opendir(path.c_str()));
  if (!directory) {
    if (errno == EACCES || errno == EPERM) {
      throw NotPermitted{};
    }
    return;
  }
  const int descriptor = ::dirfd(directory.get());
  while (const dirent* entry = ::readdir(directory.get())) {
    struct stat status {};
    const char* name = static_cast<const char*>(entry->d_name);
    if (::fstatat(descriptor, name, &status, 0) != 0 || !S_ISREG(status.st_mode)) {
      continue;
    }
    const Identity file{status.st_dev, status.st_ino};
    add(file, process);
    if (status.st_nlink == 0) {
      std::string target(PATH_MAX, '\0');
      const ssize_t length = ::readlinkat(descriptor, name, target.data(), target.size());
      add_removed(file, std::string_view(target).substr(
                            0, static_cast<std::size_t>(std::max<ssize_t>(length, 0))));
    }
  }
}

void HolderTable::look_at_mappings(pid_t process) {
  const auto maps = read_process(fmt::format("/proc/{}/maps", process));
  std::string_view rest = maps ? std::string_view(*maps) : std::string_view();
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    // addresses permissions offset major:minor inode path
    next_word(line);
    next_word(line);
    next_word(line);
    const std::string_view device = next_word(line);
    const std::string_view inode = next_word(line);
    const std::size_t colon = device.find(':');
    if (inode == "0" || colon == device.npos) {
      continue;
    }
    const Identity file{makedev(parse_number<unsigned>(device.substr(0, colon), 16).value_or(0),
                                parse_number<unsigned>(device.substr(colon + 1), 16).value_or(0)),
                        parse_number<ino_t>(inode).value_or(0)};
    add(file, process);
    if (line.ends_with(deleted)) {
      add_removed(file, line);
    }
  }
}

void HolderTable::add(Identity file, pid_t process) {
  if (covers(file)) {
    uses_.push_back({file, process});
  }
}

void HolderTable::add_removed(Identity file, std::string_view path) {
  if (path.ends_with(deleted)) {
    path.remove_suffix(deleted.size());
  }
  const bool is_known = std::any_of(removed_.begin(), removed_.end(),
                                    [&](const Removed& known) { return known.identity == file; });
  if (path.ends_with(stream_suffix) && !is_known) {
    removed_.push_back({file, path});
  }
}

bool HolderTable::covers(Identity file) const {
  return std::binary_search(files_.begin(), files_.end(), file, is_before);
}

Holders HolderTable::holders_of(Identity file) const {
  Holders holders;
  const auto first = std::lower_bound(
      uses_.begin(), uses_.end(), file,
      [](const Use& use, const Identity& wanted) { return is_before(use.file, wanted); });
  for (auto use = first; use != uses_.end() && use->file == file; ++use) {
    if (holders.processes.empty() || holders.processes.back() != use->process) {
      holders.processes.push_back(use->process);
    }
  }
  std::set_difference(unknown_.begin(), unknown_.end(), holders.processes.begin(),
                      holders.processes.end(), std::back_inserter(holders.unknown));
  return holders;
}

Holders holders_of(Identity identity) {
  return HolderTable(std::span(&identity, 1)).holders_of(identity);
}

std::vector<HolderTable::Removed> removed_streams() { return HolderTable({}).removed(); }

}  // namespace shmim
