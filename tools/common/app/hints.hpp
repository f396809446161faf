#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// What a tool advises, as commands with {} for the name of the stream; null for no advice.
struct Advice {
  const char* missing = nullptr;  ///< there is no such stream
  const char* similar = nullptr;  ///< there is none, but one whose name differs by a slip
  const char* exists = nullptr;   ///< there is one already
  const char* unreadable = "shmim-rm --dry-run --force {}";  ///< the file is not a readable stream
};

/// What an advice is about.
struct Subject {
  const Reference* reference = nullptr;  ///< what the user wrote, if it is known
  SearchPath where;
  std::string dir;  ///< --dir, as it was given
};

/// An error that brings its own advice.
class HintedError : public Error {
 public:
  HintedError(const Error& error, std::string command)
      : Error(error), command_(std::move(command)) {}
  [[nodiscard]] const std::string& command() const noexcept { return command_; }

 private:
  std::string command_;
};

/// A word as a shell takes it for one.
std::string shell_word(const std::string& text);

/// A command that helps after an error; empty if none is known.
std::string hint(const Advice& advice, const Error& error, const Subject& subject);
/// How to make the directory that an error says is missing; empty if something else has its name.
std::string hint_for_directory(const Error& error);

/// The name that is the most like `name`: a slip of the finger away, no more. Empty if there is
/// none.
std::string similar_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace shmim::tools
