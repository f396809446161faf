#pragma once

#include <string>
#include <string_view>

#include "common/io/exit.hpp"

namespace shmim::tools {

/// What a tool says on stderr. Where nobody can be told, the exit status must do.
class Messages {
 public:
  explicit Messages(std::string_view tool, bool quiet = false, bool verbose = false)
      : tool_(tool), quiet_(quiet), verbose_(verbose) {}

  /// `shmim-TOOL: message`, made safe for a terminal.
  void error(std::string_view message) const;
  /// An error with a pointer to --help; gives the exit status.
  Exit usage(std::string_view message) const;
  /// A command that helps.
  static void hint(std::string_view command);
  /// One line, unless --quiet.
  void note(std::string_view subject, std::string_view message) const;
  /// One line with --verbose.
  void detail(std::string_view subject, std::string_view message) const;

  [[nodiscard]] bool quiet() const noexcept { return quiet_; }
  [[nodiscard]] bool verbose() const noexcept { return verbose_; }

 private:
  std::string tool_;
  bool quiet_;
  bool verbose_;
};

}  // namespace shmim::tools
