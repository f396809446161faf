// Posts, waits and claims.

#include <atomic>
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <semaphore.h>
#include <unistd.h>

#include "imagestreamio/image.hpp"
#include "shmim/process.hpp"

using namespace shmim;
using namespace shmim::imagestreamio;

namespace {

/// Says so on standard output, as the C library does, where there is no such semaphore.
bool is_there(const IMAGE& image, long index) noexcept {
  const bool is_in_range = image.md != nullptr && index >= 0 && index < image.md->sem;
  if (!is_in_range) {
    std::printf("%s: there is no semaphore %ld\n", image.name, index);
  }
  return is_in_range;
}

/// Lets one thread of this process at a time look for a semaphore and claim it. A word that holds
/// the PID: a child that was forked meanwhile takes it from its parent.
class OneAtATime {
 public:
  OneAtATime() noexcept {
    for (;; std::this_thread::yield()) {
      pid_t found = holder.load(std::memory_order_relaxed);
      if (found != this_process() &&
          holder.compare_exchange_weak(found, this_process(), std::memory_order_acquire)) {
        return;
      }
    }
  }
  ~OneAtATime() { holder.store(0, std::memory_order_release); }
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;
  OneAtATime(OneAtATime&&) = delete;
  OneAtATime& operator=(OneAtATime&&) = delete;

 private:
  static inline std::atomic<pid_t> holder{0};
};

int claim(const IMAGE& image, int wish) {
  if (!is_shared(image)) {
    return -1;
  }
  // The file once more, for its locks: the mapping is the image's.
  const Segment segment =
      Segment::open(fmt::format("/proc/self/fd/{}", image.shmfd), Access::read_write);
  const OneAtATime lock;
  const auto index = Semaphores(semaphores_of(image), segment).claim_for_process(wish);
  return index ? static_cast<int>(*index) : -1;
}

}  // namespace

long ImageStreamIO_sempost(IMAGE* image, long index) {
  if (index >= 0 && !is_there(*image, index)) {
    return IMAGESTREAMIO_SUCCESS;
  }
  if (is_shared(*image)) {
    post(*image, [index](unsigned each) { return index < 0 || each == index; });
  }
  return IMAGESTREAMIO_SUCCESS;
}

long ImageStreamIO_sempost_excl(IMAGE* image, long index) {
  const long count = is_shared(*image) ? image->md->sem : 0;
  for (long each = 0; each < count; ++each) {
    if (each != index) {
      ImageStreamIO_sempost(image, each);
    }
  }
  return IMAGESTREAMIO_SUCCESS;
}

long ImageStreamIO_sempost_loop(IMAGE* image, long index, long dtus) {
  for (;;) {
    ImageStreamIO_sempost(image, index);
    ::usleep(static_cast<useconds_t>(dtus));
  }
}

int ImageStreamIO_getsemwaitindex(IMAGE* image, int semindexdefault) {
  int index = -1;
  static_cast<void>(guarded(IMAGESTREAMIO_FAILURE, [&] {
    index = claim(*image, semindexdefault);
    return IMAGESTREAMIO_SUCCESS;
  }));
  return index;
}

int ImageStreamIO_semwait(IMAGE* image, int index) {
  return is_there(*image, index) ? ::sem_wait(image->semptr[index]) : IMAGESTREAMIO_FAILURE;
}

int ImageStreamIO_semtrywait(IMAGE* image, int index) {
  return is_there(*image, index) ? ::sem_trywait(image->semptr[index]) : IMAGESTREAMIO_FAILURE;
}

int ImageStreamIO_semtimedwait(IMAGE* image, int index, const struct timespec* semwts) {
  return is_there(*image, index) ? ::sem_timedwait(image->semptr[index], semwts)
                                 : IMAGESTREAMIO_FAILURE;
}

long ImageStreamIO_semflush(IMAGE* image, long index) {
  if (index >= 0 && !is_there(*image, index)) {
    return IMAGESTREAMIO_SUCCESS;
  }
  const long count = is_shared(*image) ? image->md->sem : 0;
  for (long each = 0; each < count; ++each) {
    if (index < 0 || each == index) {
      layout::take_posts(*image->semptr[each]);
    }
  }
  return IMAGESTREAMIO_SUCCESS;
}

long ImageStreamIO_semvalue(IMAGE* image, long index) {
  int value = -1;
  if (is_there(*image, index)) {
    ::sem_getvalue(image->semptr[index], &value);
  }
  return value;
}
