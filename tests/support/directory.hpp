#pragma once

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <shmim/shmim.hpp>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX's
#include <unistd.h>

namespace shmim::test {

/// A directory for streams, in shared memory where there is some; gone after its time with all that
/// is in it. A child that is forked does not remove it.
class Directory {
 public:
  Directory() {
    std::error_code ignored;
    const bool has_shm =
        std::filesystem::is_directory("/dev/shm", ignored) && ::access("/dev/shm", W_OK) == 0;
    const std::filesystem::path parent =
        has_shm ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
    std::string name = (parent / "shmim-tests.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make " + name);
    }
    path_ = name;
  }
  Directory(const Directory&) = delete;
  Directory(Directory&&) = delete;
  Directory& operator=(const Directory&) = delete;
  Directory& operator=(Directory&&) = delete;
  ~Directory() {
    if (::getpid() == maker_) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path stream(std::string_view name) const {
    return stream_path(path_, name);
  }
  [[nodiscard]] SearchPath search_path() const { return {path_, path_ / "conf", {}}; }
  /// Names in it, sorted, hidden ones too.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  /// Removes what is in it.
  void clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::filesystem::remove_all(entry.path());
    }
  }

  /// A stream of small uint16 frames, unless another format is given.
  Stream make(const std::string& name, const Format& format = small_format()) const {
    Stream stream = Stream::draft(path_, name, format);
    if (!stream.publish()) {
      throw Error(Problem::exists, name, "is left from before");
    }
    return stream;
  }
  static Format small_format() {
    Format format;
    format.type = DataType::uint16;
    format.shape = Shape{4, 3};
    return format;
  }

 private:
  pid_t maker_ = ::getpid();
  std::filesystem::path path_;
};

}  // namespace shmim::test
