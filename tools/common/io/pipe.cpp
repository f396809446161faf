#include "common/io/pipe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace shmim::tools {

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error::system("", "cannot make a pipe", errno);
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void widen_pipe(int descriptor, std::size_t frame_bytes) noexcept {
  constexpr std::size_t most = std::size_t{1} << 20;
  const int wanted = static_cast<int>(std::min(frame_bytes, most));
  const int capacity = ::fcntl(descriptor, F_GETPIPE_SZ);
  if (0 < capacity && capacity < wanted) {
    ::fcntl(descriptor, F_SETPIPE_SZ, wanted);  // if not, its two ends wake each other more often
  }
}

void narrow_pipe(int descriptor) noexcept {
  ::fcntl(descriptor, F_SETPIPE_SZ, 1);  // fails where there is more in it
}

void raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace shmim::tools
