#pragma once

#include <vector>

namespace shmim::tools {

/// Notes these signals from now on, in the place of what they do otherwise.
void watch_signals(const std::vector<int>& signals) noexcept;
/// True if it has come since the last call.
[[nodiscard]] bool take_signal(int signal) noexcept;

}  // namespace shmim::tools
