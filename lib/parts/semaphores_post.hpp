#pragma once

#include "shmim/semaphores.hpp"

namespace shmim {

/// Semaphores::post() for a writer that has checked the indices and may write; indices that there
/// is none of are passed over.
void post_known(const Semaphores::Regions& regions, const SemaphoreSet& posts) noexcept;
/// The parts of it, for a writer with an order of its own: one that is there, and the log
/// semaphore.
void post_one(const Semaphores::Regions& regions, unsigned index) noexcept;
void post_log(const Semaphores::Regions& regions) noexcept;

}  // namespace shmim
