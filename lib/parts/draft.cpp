#include "parts/draft.hpp"

namespace shmim {

void initialise(std::span<layout::KeywordSlot> keywords) noexcept {
  for (layout::KeywordSlot& slot : keywords) {
    layout::store(slot.type, 'N');
  }
}

void initialise(std::span<sem_t> semaphores) noexcept {
  for (sem_t& semaphore : semaphores) {
    sem_init(&semaphore, 1, 0);
  }
}

void initialise(std::span<pid_t> pids) noexcept {
  for (pid_t& pid : pids) {
    layout::store(pid, -1);
  }
}

void initialise(std::span<layout::TraceSlot> trace) noexcept {
  for (layout::TraceSlot& slot : trace) {
    layout::store(slot.trigsemindex, -1);
  }
}

}  // namespace shmim
