#pragma once

#include <optional>
#include <string>
#include <vector>

#include <shmim/file.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// Another program, what of it we read, line by line. It ends with this object, and with this
/// process, whatever ends that.
class Child {
 public:
  enum class Reads { output, errors };
  /// Looks for it in PATH. For the first thread of the process: with the one that has called, it
  /// ends. Throws Error (failed) where it cannot be started.
  Child(std::vector<std::string> words, Reads reads);
  ~Child();
  Child(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&&) = delete;

  /// What it writes next, without the newline; nullopt once it has ended. Blocks.
  [[nodiscard]] std::optional<std::string> line();
  /// Asks it to end. Any thread may.
  void terminate() const noexcept;
  /// Waits for its end: its exit status, or 128 and the number of the signal. Not while another
  /// thread may call terminate().
  [[nodiscard]] int wait() noexcept;

 private:
  pid_t pid_ = 0;  ///< 0 once it was waited for
  FileDescriptor from_;
  std::string read_;  ///< and is not a whole line yet
};

}  // namespace shmim::tools
