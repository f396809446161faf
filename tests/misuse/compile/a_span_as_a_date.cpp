// error: could not convert|cannot convert|no matching|no viable|no known conversion
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in);
void use(const shmim::Stream& in) {
#ifdef RIGHT
  static_cast<void>(shmim::to_utc(in.written()));
#else
  static_cast<void>(shmim::to_utc(shmim::elapsed(in.created(), in.written())));
#endif
}
