#pragma once

namespace shmim::tools {

/// Runs on that processor and no other, from now on. Throws Error (failed).
void run_on_processor(unsigned processor);
/// Takes a real-time priority (SCHED_FIFO), as what we start from now on does. Throws Error
/// (failed).
void take_realtime_priority(int priority);

}  // namespace shmim::tools
