// Preloaded, a disk that stalls: pwrite waits for as long as there is the file that $STALL names.
// The number in it is of the calls that went through before, and those that do so still.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static void wait_while_stalled(void) {
  const char* name = getenv("STALL");
  const long call = atomic_fetch_add(&calls, 1);
  while (name != NULL) {
    char text[32] = {0};
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      return;
    }
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size > 0 && call < atol(text)) {
      return;
    }
    usleep(1000);
  }
}

typedef ssize_t (*Pwrite)(int, const void*, size_t, off_t);

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  wait_while_stalled();
  return ((Pwrite)dlsym(RTLD_NEXT, "pwrite"))(file, bytes, size, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  wait_while_stalled();
  return ((Pwrite)dlsym(RTLD_NEXT, "pwrite64"))(file, bytes, size, offset);
}
