#pragma once

// How a tool ends.

#include <span>
#include <stdexcept>

#include <shmim/error.hpp>

namespace shmim::tools {

enum class Exit {
  done = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  exists = 4,
  mismatch = 5,
  timed_out = 124,
};

/// The status of a tool that such an error ends.
Exit exit_of(Problem problem) noexcept;

/// Text of the EXIT STATUS section, for help and man pages.
struct ExitMeaning {
  const char* status;
  const char* meaning;
};
std::span<const ExitMeaning> exit_meanings() noexcept;

/// Wrong usage: exit status 2 and a pointer to --help.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// SIGINT or SIGTERM arrived: unwinds, so that claims are given back, and ends by that signal.
class Interrupted {};
/// Ends with exit status 124; whoever throws it has said what did not happen in time.
class TimedOut {};
/// Whoever read our output has gone.
class BrokenPipe {};

}  // namespace shmim::tools
