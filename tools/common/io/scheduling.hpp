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

/// This thread gives way to all others from now on, at the processor and at the disk, and stays off
/// those processors, if there are more; as far as the system lets it.
void give_way(const std::vector<unsigned>& processors) noexcept;

}  // namespace shmim::tools
