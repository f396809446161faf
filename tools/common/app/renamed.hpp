#pragma once

#include <string_view>

namespace shmim::tools {

/// What to say to somebody who uses an option by the name that it had once; empty if it never had
/// it.
std::string_view renamed_option(std::string_view tool, std::string_view name) noexcept;

}  // namespace shmim::tools
