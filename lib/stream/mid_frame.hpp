#pragma once

#include <sys/types.h>

#include "shmim/semaphores.hpp"
#include "shmim/trace.hpp"

namespace shmim {

/// Who is in mid-frame, as far as the stream tells.
struct MidFrameWriter {
  pid_t pid = 0;         ///< 0 unknown
  bool is_gone = false;  ///< it died or gave up
  bool is_sure = false;  ///< it is a program of ours, which names itself as it begins
};
MidFrameWriter writer_in_mid_frame(const Trace& trace, const Semaphores& semaphores) noexcept;

}  // namespace shmim
