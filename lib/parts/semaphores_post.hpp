#pragma once

#include "shmim/semaphores.hpp"

namespace shmim {

/// Semaphores::post() for a writer that has checked the indices and may write; indices that there
/// is none of are passed over.
void post_known(const Semaphores::Regions& regions, const SemaphoreSet& posts) noexcept;

}  // namespace shmim
