// error: deleted
#include <shmim/shmim.hpp>

void use(const shmim::Stream& in, shmim::WriteGuard& guard);
void use(const shmim::Stream& in, shmim::WriteGuard& guard) {
#ifdef RIGHT
  const shmim::Trigger trigger = in.trigger(shmim::TriggerMode::cnt0);
  guard.set_trigger(trigger);
#else
  guard.set_trigger(in.trigger(shmim::TriggerMode::cnt0));
#endif
}
