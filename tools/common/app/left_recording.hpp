#pragma once

// In a header, so that no tool but those that open recordings has them in it.

#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <shmim/recording.hpp>

#include "common/app/context.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

/// Where a recording of that name was left unfinished makes a whole file of it, and says so. Throws
/// Error.
inline void repair_if_left(const Context& context, const std::string& file) {
  std::error_code none;
  if (!std::filesystem::exists(file, none) && is_unfinished(file)) {
    const std::uint64_t frames = repair_recording(file);
    context.note(file, fmt::format("was left unfinished, and is whole now, with {}",
                                   counted(frames, "frame")));
  }
}

}  // namespace shmim::tools
