// error: deleted
#include <shmim/shmim.hpp>

void use();
void use() {
#ifdef RIGHT
  shmim::Stream stream = shmim::Stream::open("cam");
  static_cast<void>(stream.unguarded_writable_pixels());
#else
  static_cast<void>(shmim::Stream::open("cam").unguarded_writable_pixels());
#endif
}
