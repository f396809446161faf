#pragma once

#include <span>

#include <sys/types.h>

#include "shmim/layout.hpp"

namespace shmim {

// What the creator of a stream does to its regions while nobody else can see them: zeros alone make
// no whole stream.

/// Marks every keyword slot as not in use.
void initialise(std::span<layout::KeywordSlot> keywords) noexcept;
/// Makes semaphores process-shared with value 0.
void initialise(std::span<sem_t> semaphores) noexcept;
/// Names nobody as reader or poster of the semaphores.
void initialise(std::span<pid_t> pids) noexcept;
/// Marks every entry as without a semaphore, as the C library does.
void initialise(std::span<layout::TraceSlot> trace) noexcept;

}  // namespace shmim
