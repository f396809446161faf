// error: nodiscard
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in);
void use(const shmim::Stream& in) {
#ifdef RIGHT
  shmim::Follower follower(in);
  static_cast<void>(follower.wait({}));
#else
  shmim::Follower follower(in);
  follower.wait({});
#endif
}
