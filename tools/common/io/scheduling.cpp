#include "common/io/scheduling.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <fmt/format.h>
#include <sched.h>
#include <shmim/error.hpp>
#include <shmim/text.hpp>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/io/exit.hpp"

namespace shmim::tools {

std::vector<unsigned> parse_processors(const std::string& text) {
  std::vector<unsigned> processors;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    const auto number = parse_number<unsigned>(word);
    if (!number) {
      throw UsageError(fmt::format("--cpu: '{}' is not like 2 or 2,3", text));
    }
    processors.push_back(*number);
  }
  return processors;
}

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

void give_way(const std::vector<unsigned>& processors) noexcept {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  constexpr int nice = 10;               // a tenth of a processor that others want
  ::setpriority(PRIO_PROCESS, 0, nice);  // of the thread
  constexpr int this_thread = 1;         // linux/ioprio.h, which is not everywhere
  constexpr int least_of_best_effort = 2 << 13 | 7;
  ::syscall(SYS_ioprio_set, this_thread, 0, least_of_best_effort);
  cpu_set_t set{};
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) {
    return;
  }
  for (const unsigned processor : processors) {
    CPU_CLR(processor, &set);
  }
  if (CPU_COUNT(&set) > 0) {
    ::sched_setaffinity(0, sizeof(set), &set);
  }
}

}  // namespace shmim::tools
