// error: begin
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in);
void use(const shmim::Stream& in) {
#ifdef RIGHT
  static_cast<void>(in.trace());
#else
  in.trace().begin(1);
#endif
}
