#include "shmim/directory.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "segment/text_file.hpp"
#include "shmim/error.hpp"

namespace shmim {
namespace {

constexpr unsigned kernel_thread_flag = 0x00200000;  // PF_KTHREAD of the kernel

/// A kernel thread has no files and no memory of its own, though we may not look.
bool is_kernel_thread(const std::filesystem::path& process) {
  const std::string line = read_text(process / "stat").value_or("");
  // pid (command) state ppid pgrp session tty tpgid flags: the ninth field, the seventh after ")".
  std::size_t at = line.rfind(')');
  for (int field = 0; field < 7 && at != std::string::npos; ++field) {
    at = line.find(' ', at + 1);
  }
  unsigned flags = 0;
  if (at == std::string::npos ||
      std::from_chars(line.data() + at + 1, line.data() + line.size(), flags).ec != std::errc{}) {
    return false;
  }
  return (flags & kernel_thread_flag) != 0;
}

enum class Look { holds, does_not, not_permitted };

Look look_at_open_files(const std::filesystem::path& process, Identity identity) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(process / "fd", error), end;
       !error && entry != end; entry.increment(error)) {
    if (identity_of(entry->path()) == identity) {
      return Look::holds;
    }
  }
  return error == std::errc::permission_denied ? Look::not_permitted : Look::does_not;
}

Look look_at_mappings(const std::filesystem::path& process, Identity identity) {
  const auto maps = read_text(process / "maps");
  if (!maps) {
    return errno == EACCES ? Look::not_permitted : Look::does_not;
  }
  const std::string wanted = fmt::format(" {:02x}:{:02x} {} ", major(identity.device),
                                         minor(identity.device), identity.inode);
  return maps->find(wanted) != std::string::npos ? Look::holds : Look::does_not;
}

}  // namespace

std::filesystem::path require_directory(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    const int error = errno;
    throw Error(Problem::no_directory, directory.string(),
                error == ENOENT ? "no such directory"
                                : Error::system("", "cannot look at it", error).what());
  }
  if (!S_ISDIR(status.st_mode)) {
    throw Error(Problem::no_directory, directory.string(), "is no directory");
  }
  return directory;
}

std::filesystem::path default_shm_directory() {
  if (const char* directory = std::getenv("MILK_SHM_DIR"); directory != nullptr) {
    try {
      return require_directory(directory);
    } catch (const Error& error) {
      throw Error(Problem::no_directory, "MILK_SHM_DIR", error.what());
    }
  }
  std::error_code ignored;
  return std::filesystem::is_directory("/milk/shm", ignored) ? "/milk/shm" : "/dev/shm";
}

std::filesystem::path stream_path(const std::filesystem::path& directory, std::string_view name) {
  return directory / fmt::format("{}{}", name, stream_suffix);
}

std::vector<std::string> list_streams(const std::filesystem::path& directory,
                                      const std::string& pattern) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.ends_with(stream_suffix) || name.size() == stream_suffix.size()) {
      continue;
    }
    name.resize(name.size() - stream_suffix.size());
    if (::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      names.push_back(std::move(name));
    }
  }
  if (error) {
    throw Error::system(directory.string(), "cannot list the directory", error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Holders holders_of(Identity identity) {
  Holders holders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) {
      continue;
    }
    Look look = look_at_open_files(entry->path(), identity);
    if (look == Look::does_not) {
      look = look_at_mappings(entry->path(), identity);
    }
    if (look == Look::holds) {
      holders.processes.push_back(pid);
    } else if (look == Look::not_permitted && !is_kernel_thread(entry->path())) {
      holders.unknown.push_back(pid);
    }
  }
  return holders;
}

bool remove_stream(const std::filesystem::path& path, Identity expected) {
  std::optional<Stream> stream;
  try {
    stream = Stream::open(path, Access::read_write);
  } catch (const Error&) {
    // No readable stream: nobody waits on it that could be woken.
  }
  if (!remove_if_same(path, expected)) {
    return false;
  }
  if (stream && stream->identity() == expected) {
    stream->semaphores().post_checked(Posts::all());
  }
  return true;
}

}  // namespace shmim
