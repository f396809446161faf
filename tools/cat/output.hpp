#pragma once

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// Writes one whole frame of a stream to standard output, as it is in the array: by way of memory
/// of our own, into a pipe as the pages of that memory, which nobody writes to again; to /dev/null
/// without a copy. Throws Error: busy, unfinished (and nothing was written), and what
/// write_stdout() throws.
void write_whole_frame(const Stream& stream, Deadline deadline);

}  // namespace shmim::tools
