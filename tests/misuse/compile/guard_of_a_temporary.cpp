// error: deleted
#include <shmim/shmim.hpp>

void use();
void use() {
#ifdef RIGHT
  shmim::Stream stream = shmim::Stream::open("cam");
  shmim::WriteGuard guard(stream);
#else
  shmim::WriteGuard guard(shmim::Stream::open("cam"));
#endif
}
