// error: (no matching|invalid initialization|binding reference|drops .const)
#include <shmim/shmim.hpp>

void use();
void use() {
#ifdef RIGHT
  shmim::Stream stream = shmim::Stream::open("cam");
  shmim::WriteGuard guard(stream);
#else
  const shmim::Stream stream = shmim::Stream::open("cam");
  shmim::WriteGuard guard(stream);
#endif
}
