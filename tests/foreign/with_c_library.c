// A program of the real C library, for with-c-library: built against its headers, which are not
// ours.
//
//   create NAME            makes a stream of 2048 64-bit elements
//   write NAME HZ SECONDS  frames by UpdateIm, each with its number in every element
//   read NAME SEMAPHORE SECONDS
//                          waits on the semaphore, and says how many wakes there were, how many of
//                          them for no frame, how many frames were torn or had another number

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ImageStreamIO.h"

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int create(const char* name) {
  IMAGE image;
  uint32_t size[] = {2048, 1};
  return ImageStreamIO_createIm(&image, name, 1, size, _DATATYPE_UINT64, 1, 10, 0);
}

static int write_frames(const char* name, double rate, double seconds) {
  IMAGE image;
  if (ImageStreamIO_openIm(&image, name) != IMAGESTREAMIO_SUCCESS) {
    return 1;
  }
  const double begin = seconds_now();
  for (double next = begin; seconds_now() < begin + seconds; next += 1 / rate) {
    while (seconds_now() < next) {
    }
    image.md->write = 1;
    for (uint64_t i = 0; i < image.md->nelement; ++i) {
      image.array.UI64[i] = image.md->cnt0 + 1;
    }
    ImageStreamIO_UpdateIm(&image);
  }
  return 0;
}

static int read_frames(const char* name, int semaphore, double seconds) {
  IMAGE image;
  if (ImageStreamIO_openIm(&image, name) != IMAGESTREAMIO_SUCCESS) {
    return 1;
  }
  uint64_t wakes = 0;
  uint64_t false_wakes = 0;
  uint64_t wrong = 0;
  uint64_t* frame = malloc(image.md->nelement * sizeof *frame);
  const uint64_t first = image.md->cnt0;
  ImageStreamIO_semflush(&image, semaphore);
  printf("ready\n");
  fflush(stdout);
  for (const double begin = seconds_now(); seconds_now() < begin + seconds;) {
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 1;
    if (ImageStreamIO_semtimedwait(&image, semaphore, &limit) != 0) {
      continue;
    }
    ++wakes;
    false_wakes += wakes > image.md->cnt0 - first;
    // As its own readers do: what is there between two looks at the count is a frame.
    const uint64_t before = image.md->cnt0;
    const int is_written = image.md->write;
    memcpy(frame, image.array.UI64, image.md->nelement * sizeof *frame);
    if (is_written || image.md->write || image.md->cnt0 != before) {
      continue;
    }
    int is_wrong = 0;
    for (uint64_t i = 0; i < image.md->nelement; ++i) {
      is_wrong |= frame[i] != before;
    }
    wrong += before > first && is_wrong;
  }
  printf("wakes %" PRIu64 " false %" PRIu64 " wrong %" PRIu64 "\n", wakes, false_wakes, wrong);
  return wakes == 0 || false_wakes || wrong;
}

int main(int argc, char** argv) {
  if (argc == 3 && !strcmp(argv[1], "create")) {
    return create(argv[2]);
  }
  if (argc == 5 && !strcmp(argv[1], "write")) {
    return write_frames(argv[2], atof(argv[3]), atof(argv[4]));
  }
  if (argc == 5 && !strcmp(argv[1], "read")) {
    return read_frames(argv[2], atoi(argv[3]), atof(argv[4]));
  }
  return 2;
}
