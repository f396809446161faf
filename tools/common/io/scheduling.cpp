#include "common/io/scheduling.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <sched.h>
#include <shmim/error.hpp>

namespace shmim::tools {

void run_on_processor(unsigned processor) {
  cpu_set_t set{};
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw Error::system("--cpu", fmt::format("cannot run on processor {}", processor), errno);
  }
}

void take_realtime_priority(int priority) {
  const sched_param parameters{priority};
  if (::sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) {
    throw Error::system("--rt-prio", "cannot take a real-time priority", errno);
  }
}

}  // namespace shmim::tools
