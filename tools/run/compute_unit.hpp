#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/app/context.hpp"
#include "common/io/exit.hpp"

namespace shmim::tools {

/// What the user asked for; what is empty was not.
struct Wanted {
  std::string in;
  std::string out;
  std::vector<std::string> command;
  std::string exec;
  std::string language = "raw";
  bool every = false;
  std::string type;
  std::string size;
  std::vector<std::string> with;
  bool no_keywords = false;
  std::optional<std::chrono::nanoseconds> timeout;
  std::string restart;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> whole;
  std::optional<std::chrono::nanoseconds> interval;
  std::vector<unsigned> processors;  ///< of us, and of the command
  std::optional<int> priority;
};

/// Gives the frames of a stream to a command and publishes its answers, until the command has ended
/// or what was asked for has come. Throws Error, TimedOut, Interrupted.
Exit run_compute_unit(const Context& context, const Wanted& wanted);

}  // namespace shmim::tools
