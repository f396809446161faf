// Semaphores, for programs that wait on them themselves.

#include "shmim/semaphores.hpp"

#include "c/handles.hpp"

namespace shmim::c {
namespace {

Semaphores semaphores_of(const shmim_stream* stream) {
  return required(stream, "the stream").stream.semaphores();
}

unsigned index_of(const shmim_stream& stream, int index) {
  if (index < 0) {
    throw Error(Problem::usage, stream.stream.name(), "a semaphore's index is below 0");
  }
  return static_cast<unsigned>(index);
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)  // as the header says of each

int shmim_post(shmim_stream* stream, int index, shmim_error* error) {
  return guarded(error, [&] {
    constexpr int all = -1;
    const Semaphores semaphores = semaphores_of(stream);
    semaphores.post(index == all ? SemaphoreSet::all()
                                 : SemaphoreSet::only({index_of(*stream, index)}));
    return SHMIM_OK;
  });
}

int shmim_get_semaphore(const shmim_stream* stream, int index, shmim_semaphore* semaphore,
                        shmim_error* error) {
  return guarded(error, [&] {
    const Semaphores semaphores = semaphores_of(stream);
    const unsigned which = index_of(*stream, index);
    required(semaphore, "the place for the semaphore") = {
        semaphores.value(which), semaphores.reader(which), semaphores.poster(which)};
    return SHMIM_OK;
  });
}

int shmim_claim_semaphore(const shmim_stream* stream, int wish, int* index, shmim_error* error) {
  return guarded(error, [&] {
    const auto claimed = semaphores_of(stream).claim_for_process(wish);
    if (!claimed) {
      throw Error(Problem::claimed, stream->stream.name(), "no semaphore is free");
    }
    required(index, "the place for the index") = static_cast<int>(*claimed);
    return SHMIM_OK;
  });
}

int shmim_wait_semaphore(const shmim_stream* stream, int index, std::int64_t timeout,
                         shmim_error* error) {
  const int problem = guarded(error, [&] {
    const Semaphores semaphores = semaphores_of(stream);
    switch (semaphores.wait(index_of(*stream, index), deadline_of(timeout))) {
      case WaitResult::posted:
        return SHMIM_OK;
      case WaitResult::timed_out:
        return SHMIM_TIMED_OUT;
      case WaitResult::interrupted:
        break;
    }
    return SHMIM_INTERRUPTED;
  });
  if (problem == SHMIM_TIMED_OUT) {
    tell(error, problem, 0, "nothing was posted in the time given");
  } else if (problem == SHMIM_INTERRUPTED) {
    tell(error, problem, 0, "interrupted");
  }
  return problem;
}

int shmim_drain_semaphore(const shmim_stream* stream, int index, unsigned* posts,
                          shmim_error* error) {
  return guarded(error, [&] {
    const Semaphores semaphores = semaphores_of(stream);
    const unsigned taken = semaphores.drain(index_of(*stream, index));
    if (posts != nullptr) {
      *posts = taken;
    }
    return SHMIM_OK;
  });
}

#pragma GCC visibility pop
}  // extern "C"

}  // namespace shmim::c
