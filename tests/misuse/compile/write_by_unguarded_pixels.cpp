// error: (assignment of read-only|cannot assign|no viable overloaded)
#include <shmim/shmim.hpp>

void use();
void use() {
#ifdef RIGHT
  shmim::Stream stream = shmim::Stream::open("cam");
  stream.unguarded_writable_pixels()[0] = std::byte{1};
#else
  shmim::Stream stream = shmim::Stream::open("cam");
  stream.unguarded_pixels()[0] = std::byte{1};
#endif
}
