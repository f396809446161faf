#pragma once

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <shmim/shmim.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "support/directory.hpp"

namespace shmim::test {

/// The standard library's comparisons go from one std::byte to the next: seconds, where that is not
/// optimised.
inline bool are_alike(std::span<const std::byte> one, std::span<const std::byte> other) {
  return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size()) == 0;
}

inline std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// False, with a word of why, in a PID namespace of its own, as of a container: there a PID that
/// has no lock of ours is believed to live, elsewhere.
inline bool knows_who_died() {
  const bool is_first = std::filesystem::read_symlink("/proc/self/ns/pid") == "pid:[4026531836]";
  if (!is_first) {
    MESSAGE("skipped: in a PID namespace of its own, as of a container, who has died is not known");
  }
  return is_first;
}

/// A frame with the same number in every element.
template <class T>
std::vector<std::byte> frame_of(const Stream& stream, T value) {
  std::vector<std::byte> frame(stream.format().bytes());
  for (std::size_t offset = 0; offset < frame.size(); offset += sizeof(T)) {
    std::memcpy(&frame[offset], &value, sizeof(T));
  }
  return frame;
}

template <class T>
std::uint64_t publish(const Stream& stream, T value) {
  const auto frame = frame_of(stream, value);
  Stream writer = stream;
  WriteGuard guard(writer);
  std::memcpy(guard.pixels().data(), frame.data(), frame.size());
  return guard.publish();
}

/// What `call` throws; a failure where it throws nothing.
inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no Error was thrown");
  return {Problem::failed, "", ""};
}

inline bool says(const Error& error, std::string_view words) {
  return std::string_view(error.what()).find(words) != std::string_view::npos;
}

/// Runs `job` in a child process and gives its PID; the child ends without running destructors.
inline pid_t in_child(const std::function<void()>& job) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      job();
    } catch (...) {
      ::_exit(99);
    }
    ::_exit(0);
  }
  return pid;
}

/// Waits for a child; its exit status, or 128 and the signal that ended it.
inline int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace shmim::test
