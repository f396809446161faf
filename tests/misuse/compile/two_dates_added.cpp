// error: no match for .operator\+|invalid operands
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in);
void use(const shmim::Stream& in) {
#ifdef RIGHT
  static_cast<void>(in.written() - in.created());
#else
  static_cast<void>(in.written() + in.created());
#endif
}
