#pragma once

#include <string>
#include <vector>

namespace shmim::tools {

/// What --cpu names: `2`, `2,3`. Throws UsageError.
[[nodiscard]] std::vector<unsigned> parse_processors(const std::string& text);
/// This thread runs on that processor and no other, from now on. Throws Error (failed).
void run_on_processor(unsigned processor);
/// Takes a real-time priority (SCHED_FIFO), as what this thread starts from now on does. Throws
/// Error (failed).
void take_realtime_priority(int priority);

}  // namespace shmim::tools
