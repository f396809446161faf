#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace shmim::faults {

/// A program that is run step by step, by ptrace: the program itself is the one that users have.
class Traced {
 public:
  /// Starts `command`, which is stopped before its first instruction.
  Traced(const std::filesystem::path& directory, const std::vector<std::string>& command);
  ~Traced();
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;

  /// False where the system does not let a process trace its child.
  static bool is_permitted();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
  /// Status with which it ended, or 128 and the signal.
  [[nodiscard]] int exit_status() const noexcept { return exit_status_; }

  /// Runs until it enters or leaves a system call. While it blocks there, `while_blocked` is called
  /// once. False once it has ended.
  bool to_next_system_call(const std::function<void()>& while_blocked = {});
  /// Runs one instruction, or one system call. False once it has ended.
  bool step(const std::function<void()>& while_blocked = {});
  /// True where it is about to make a system call on what is in `directory`.
  [[nodiscard]] bool is_entering_call_on(const std::filesystem::path& directory) const;
  /// SIGKILL, and waits for its end.
  void kill();

 private:
  bool resume(int request, const std::function<void()>& while_blocked);
  pid_t pid_ = 0;
  bool has_ended_ = false;
  int exit_status_ = 0;
};

/// What others can see of a directory: the names in it, and what is in the files that have or had
/// one.
class View {
 public:
  explicit View(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  /// Looks for files that have come.
  void update_names();
  /// True where the content of a file is another than last time.
  bool content_changed();

 private:
  struct File {
    const std::byte* data = nullptr;
    std::vector<std::byte> copy;
  };
  std::filesystem::path directory_;
  std::map<std::uint64_t, File> files_;  ///< by inode
};

}  // namespace shmim::faults
