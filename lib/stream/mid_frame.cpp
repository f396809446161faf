#include "stream/mid_frame.hpp"

#include <algorithm>

#include "shmim/process.hpp"

namespace shmim {

MidFrameWriter writer_in_mid_frame(const Trace& trace, const Semaphores& semaphores) noexcept {
  const auto newest = trace.newest();
  if (newest && newest->writing != Writing::done) {
    return {newest->pid, newest->writing == Writing::given_up || !is_alive(newest->pid), true};
  }
  // A program of the C library, which tells nobody that it begins; or one of ours that was killed
  // within an instruction or two of the flag. Whoever posted the first semaphore or wrote the frame
  // before is the best guess, and gone if neither is alive.
  const pid_t poster = semaphores.count() > 0 ? semaphores.poster(0) : 0;
  const pid_t author = newest ? newest->pid : 0;
  const bool poster_is_alive = is_alive(poster);
  const pid_t likely = poster > 0 && (poster_is_alive || author == 0) ? poster : author;
  return {std::max(likely, 0), likely > 0 && !poster_is_alive && !is_alive(author), false};
}

}  // namespace shmim
