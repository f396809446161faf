// error: initialise
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in);
void use(const shmim::Stream& in) {
#ifdef RIGHT
  static_cast<void>(in.semaphores());
#else
  in.semaphores().initialise();
#endif
}
