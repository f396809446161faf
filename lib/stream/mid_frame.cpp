#include "mid_frame.hpp"

#include <algorithm>

#include "shmim/process.hpp"

namespace shmim {

Writer writer_in_mid_frame(const Trace& trace, const Semaphores& semaphores) noexcept {
  const auto newest = trace.newest();
  if (newest && newest->pid < 0) {
    return {-newest->pid, true, true};
  }
  if (newest && newest->pid > 0 && newest->written == Tai{0}) {
    return {newest->pid, !is_alive(newest->pid), true};
  }
  // A program of the C library, which tells nobody that it begins. It posts from the first
  // semaphore on, so that is where it left its PID with the frame before.
  const pid_t poster = semaphores.count() > 0 ? semaphores.poster(0) : 0;
  return {std::max(poster, 0), poster > 0 && !is_alive(poster), false};
}

}  // namespace shmim
