#include "shmim/directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "shmim/error.hpp"

namespace shmim {
std::filesystem::path require_directory(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    const int error = errno;
    throw Error(Problem::no_directory, directory.string(),
                error == ENOENT ? "no such directory"
                                : Error::system("", "cannot look at it", error).what());
  }
  if (!S_ISDIR(status.st_mode)) {
    throw Error(Problem::no_directory, directory.string(), "is not a directory");
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

std::map<ino_t, std::string> names_by_inode(const std::filesystem::path& directory) {
  std::map<ino_t, std::string> names;
  std::vector<std::string> links;
  for (std::string& name : list_streams(directory)) {
    struct stat status {};
    if (::lstat(stream_path(directory, name).c_str(), &status) != 0) {
      continue;  // gone meanwhile
    }
    if (S_ISLNK(status.st_mode)) {
      links.push_back(std::move(name));
    } else {
      names.emplace(status.st_ino, std::move(name));
    }
  }
  for (std::string& name : links) {
    if (const auto identity = identity_of(stream_path(directory, name))) {
      names.try_emplace(identity->inode, std::move(name));
    }
  }
  return names;
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
    stream->semaphores().wake_readers();
  }
  return true;
}

}  // namespace shmim
