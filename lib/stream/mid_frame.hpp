#pragma once

#include <sys/types.h>

namespace shmim {

/// Who is in mid-frame, as far as the stream tells.
struct MidFrameWriter {
  pid_t pid = 0;         ///< 0 unknown
  bool is_gone = false;  ///< it died or gave up
  /// It is a program of ours, which names itself as it begins, and is known to live or to be gone.
  bool is_sure = false;
};

}  // namespace shmim
