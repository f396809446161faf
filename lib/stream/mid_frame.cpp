#include "stream/mid_frame.hpp"

#include <algorithm>

#include "stream/core.hpp"

namespace shmim {

MidFrameWriter Stream::Core::writer_in_mid_frame() const noexcept {
  const auto newest = Trace(trace()).newest();
  if (newest && newest->writing != Writing::done) {
    const Liveness liveness =
        newest->writing == Writing::given_up ? Liveness::dead : segment.liveness_of(newest->pid);
    return {newest->pid, liveness == Liveness::dead, liveness != Liveness::unknown};
  }
  // A program of the C library, which tells nobody that it begins; or one of ours that was killed
  // within an instruction or two of the flag. Whoever posted the first semaphore or wrote the frame
  // before is the best guess, and gone if both are known to be.
  const std::span<pid_t> posters = semaphores().write_pid;
  const pid_t poster = posters.empty() ? 0 : layout::load(posters.front());
  const pid_t author = newest ? newest->pid : 0;
  const bool poster_is_gone = segment.liveness_of(poster) == Liveness::dead;
  const pid_t likely = poster > 0 && (!poster_is_gone || author == 0) ? poster : author;
  return {std::max(likely, 0),
          likely > 0 && poster_is_gone && segment.liveness_of(author) == Liveness::dead, false};
}

}  // namespace shmim
