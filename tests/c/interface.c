/* interface DIRECTORY: the C interface, function by function, each with what it gives and how it
 * fails. Says what is not as it must be, and ends with 1 then. */
#include <fcntl.h>
#include <pthread.h>
#include <shmim/shmim.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
static const char* directory;

#define CHECK(holds)                                             \
  do {                                                           \
    if (!(holds)) {                                              \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
      ++failures;                                                \
    }                                                            \
  } while (0)

static const int64_t millisecond = 1000000;
static const int64_t patience = INT64_C(20000000000);

/* The call gave this problem, and says it in these words. */
static void fails(int line, int problem, const shmim_error* error, int wanted, const char* words) {
  if (problem != wanted || error->problem != wanted || strstr(error->message, words) == NULL) {
    printf("%s:%d: problem %d, `%s`, and not %d, `%s`\n", __FILE__, line, problem, error->message,
           wanted, words);
    ++failures;
  }
}
#define FAILS(call, wanted, words) fails(__LINE__, (call), &error, (wanted), (words))

static void works(int line, int problem, const shmim_error* error) {
  if (problem != SHMIM_OK || error->problem != SHMIM_OK || error->message[0] != '\0') {
    printf("%s:%d: problem %d, `%s`\n", __FILE__, line, problem, error->message);
    ++failures;
  }
}
#define WORKS(call) works(__LINE__, (call), &error)

static shmim_error error;

static shmim_stream* made(const char* name, uint32_t type, uint32_t axes, const uint32_t* size,
                          uint32_t circular_buffer) {
  shmim_format format;
  shmim_stream* stream = NULL;
  shmim_default_format(&format, type, axes, size);
  format.circular_buffer = circular_buffer;
  WORKS(shmim_create(name, &format, SHMIM_REPLACE, directory, &stream, &error));
  return stream;
}

static const uint32_t four[] = {4};

/* What a program was compiled with stays so: by word size alone is there another. */
static void test_sizes(void) {
  if (sizeof(void*) == 8) {
    CHECK(sizeof(shmim_error) == 512 && sizeof(shmim_format) == 48 && sizeof(shmim_frame) == 48);
    CHECK(sizeof(shmim_step) == 48 && sizeof(shmim_keyword) == 136 &&
          sizeof(shmim_follow_options) == 32);
    CHECK(sizeof(shmim_header) == 80 && sizeof(shmim_semaphore) == 12);
  }
}

static void test_types(void) {
  CHECK(shmim_type_size(SHMIM_COMPLEX128) == 16);
  CHECK(shmim_type_size(0) == 0);
  CHECK(shmim_type_size(14) == 0);
  CHECK(shmim_type_size(257) == 0);
  CHECK(strcmp(shmim_type_name(SHMIM_UINT16), "uint16") == 0);
  CHECK(shmim_type_name(99) == NULL);
  CHECK(shmim_type_of("<u2") == SHMIM_UINT16);
  CHECK(shmim_type_of("wrong") == 0);
  CHECK(shmim_type_of(NULL) == 0);
  for (uint32_t type = SHMIM_UINT8; type <= SHMIM_FLOAT16; ++type) {
    CHECK(shmim_type_of(shmim_type_name(type)) == type);
  }
  CHECK(shmim_version()[0] == '0');
  CHECK(shmim_now() > 0);
  CHECK(shmim_tai_offset() >= 0);
}

static void test_names(void) {
  char usual[4096];
  char** names;
  WORKS(shmim_directory(usual, sizeof usual, &error));
  CHECK(strcmp(usual, directory) == 0);
  FAILS(shmim_directory(usual, 2, &error), SHMIM_USAGE, "no room");
  shmim_close(made("b", SHMIM_UINT8, 1, four, 0));
  shmim_close(made("a", SHMIM_UINT8, 1, four, 0));
  WORKS(shmim_list(NULL, NULL, &names, &error));
  CHECK(strcmp(names[0], "a") == 0 && strcmp(names[1], "b") == 0 && names[2] == NULL);
  shmim_free_names(names);
  WORKS(shmim_list(directory, "b*", &names, &error));
  CHECK(strcmp(names[0], "b") == 0 && names[1] == NULL);
  shmim_free_names(names);
  shmim_free_names(NULL);
  FAILS(shmim_list("/nowhere", NULL, &names, &error), SHMIM_NO_DIRECTORY, "/nowhere");
  WORKS(shmim_remove("a", NULL, &error));
  WORKS(shmim_remove("b", NULL, &error));
  FAILS(shmim_remove("a", NULL, &error), SHMIM_NOT_FOUND, "a: no such stream");
  FAILS(shmim_remove("a[1]", NULL, &error), SHMIM_USAGE, "a name is asked for");
}

static void test_open_and_create(void) {
  shmim_format format;
  shmim_stream* stream;
  shmim_stream* another;
  const uint32_t size[] = {4, 3, 2};
  FAILS(shmim_open("cam", NULL, &stream, &error), SHMIM_NOT_FOUND, "cam: no such stream");
  CHECK(shmim_open("cam", NULL, &stream, NULL) == SHMIM_NOT_FOUND);
  FAILS(shmim_open("cam[1]", NULL, &stream, &error), SHMIM_USAGE, "slice");
  FAILS(shmim_open(NULL, NULL, &stream, &error), SHMIM_USAGE, "NULL");

  shmim_default_format(&format, SHMIM_INT16, 3, size);
  CHECK(format.keywords == 10 && format.semaphores == 10 && format.circular_buffer == 0 &&
        format.location == -1);
  format.keywords = 3;
  format.circular_buffer = 5;
  WORKS(shmim_create("cam", &format, SHMIM_NEW, NULL, &stream, &error));
  CHECK(strcmp(shmim_name(stream), "cam") == 0);
  CHECK(strstr(shmim_path(stream), "/cam.im.shm") != NULL);
  CHECK(shmim_bytes(stream) == 48 && shmim_frame_bytes(stream) == 48);
  CHECK(shmim_is_writable(stream) && shmim_is_current(stream));
  CHECK(shmim_inode(stream) != 0);
  shmim_format found;
  shmim_get_format(stream, &found);
  CHECK(memcmp(&found, &format, sizeof found) == 0);

  FAILS(shmim_create("cam", &format, SHMIM_NEW, NULL, &another, &error), SHMIM_EXISTS, "cam");
  WORKS(shmim_create("cam", &format, SHMIM_IF_MISSING, NULL, &another, &error));
  CHECK(shmim_inode(another) == shmim_inode(stream));
  shmim_close(another);
  format.type = SHMIM_FLOAT32;
  FAILS(shmim_create("cam", &format, SHMIM_IF_MISSING, NULL, &another, &error), SHMIM_MISMATCH,
        "type is int16, not float32");
  FAILS(shmim_open("tf32>cam", NULL, &another, &error), SHMIM_MISMATCH, "cam");
  WORKS(shmim_create("cam", &format, SHMIM_REPLACE, NULL, &another, &error));
  CHECK(!shmim_is_current(stream) && shmim_is_current(another));
  shmim_close(another);
  shmim_close(stream);

  format.type = 99;
  FAILS(shmim_create("x", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "no type 99");
  format.type = SHMIM_UINT8;
  format.axes = 4;
  FAILS(shmim_create("x", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE,
        "3 axes at most");
  format.axes = 0;
  FAILS(shmim_create("x", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "axes");
  format.axes = 1;
  format.semaphores = 70000;
  FAILS(shmim_create("x", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "semaphores");
  format.semaphores = 10;
  format.location = 0;
  FAILS(shmim_create("x", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "CPU memory");
  format.location = -1;
  FAILS(shmim_create("a/b", &format, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "/");
  FAILS(shmim_create("x", NULL, SHMIM_NEW, NULL, &stream, &error), SHMIM_USAGE, "format is NULL");

  char path[4096];
  snprintf(path, sizeof path, "%s/short.im.shm", directory);
  close(open(path, O_CREAT | O_WRONLY, 0600));
  FAILS(shmim_open("short", NULL, &stream, &error), SHMIM_NOT_A_STREAM, "is empty");
  unlink(path);
  shmim_close(NULL);
  WORKS(shmim_remove("cam", NULL, &error));
}

static void test_reading_and_writing(void) {
  shmim_stream* const cam = made("cam", SHMIM_UINT32, 1, four, 0);
  const uint32_t first[] = {1, 2, 3, 4};
  const uint32_t second[] = {5, 6, 7, 8};
  uint32_t seen[4] = {0};
  uint64_t cnt0 = 0;
  shmim_frame frame;
  WORKS(shmim_write(cam, first, sizeof first, 0, NULL, 0, &cnt0, &error));
  CHECK(cnt0 == 1);
  WORKS(shmim_snapshot(cam, seen, sizeof seen, 0, &frame, &error));
  CHECK(memcmp(seen, first, sizeof first) == 0);
  CHECK(frame.cnt0 == 1 && frame.missed == 0 && frame.atime == frame.writetime &&
        frame.writetime > 0);
  CHECK(memcmp(shmim_array(cam), first, sizeof first) == 0);
  FAILS(shmim_snapshot(cam, seen, 15, 0, &frame, &error), SHMIM_USAGE, "room for 15 bytes");
  FAILS(shmim_snapshot(cam, NULL, 16, 0, &frame, &error), SHMIM_USAGE, "NULL");
  FAILS(shmim_write(cam, first, 15, 0, NULL, 0, NULL, &error), SHMIM_USAGE, "15");
  FAILS(shmim_write(cam, first, 0, 0, NULL, 0, NULL, &error), SHMIM_USAGE, "0 bytes");
  WORKS(shmim_write(cam, NULL, 0, 123456789, NULL, 3, &cnt0, &error));
  CHECK(cnt0 == 5);
  shmim_newest(cam, &frame);
  CHECK(frame.cnt0 == 5 && frame.atime == 123456789);

  void* pixels;
  WORKS(shmim_begin(cam, 0, &pixels, &error));
  FAILS(shmim_begin(cam, 0, &pixels, &error), SHMIM_USAGE, "begun already");
  FAILS(shmim_write(cam, first, sizeof first, 0, NULL, 0, NULL, &error), SHMIM_USAGE,
        "begun already");
  CHECK(memcmp(pixels, first, sizeof first) == 0);
  shmim_stream* other;
  WORKS(shmim_open("cam", NULL, &other, &error));
  FAILS(shmim_begin(other, millisecond, &pixels, &error), SHMIM_BUSY, "cam: ");
  FAILS(shmim_snapshot(other, seen, sizeof seen, millisecond, &frame, &error), SHMIM_BUSY,
        "keeps writing");
  ((uint32_t*)pixels)[0] = 42;
  WORKS(shmim_commit(cam, 0, NULL, &cnt0, &error));
  CHECK(cnt0 == 6);
  FAILS(shmim_commit(cam, 0, NULL, NULL, &error), SHMIM_USAGE, "no frame is begun");
  WORKS(shmim_snapshot(other, seen, sizeof seen, 0, NULL, &error));
  CHECK(seen[0] == 42 && seen[1] == 2);
  WORKS(shmim_begin(other, 0, &pixels, &error));
  shmim_cancel(other);
  shmim_cancel(other);
  shmim_newest(cam, &frame);
  CHECK(frame.cnt0 == 6);
  WORKS(shmim_begin(other, 0, &pixels, &error));
  shmim_abandon(other);
  FAILS(shmim_snapshot(cam, seen, sizeof seen, 0, NULL, &error), SHMIM_UNFINISHED, "gave up");
  WORKS(shmim_write(other, first, sizeof first, 0, NULL, 0, NULL, &error));
  WORKS(shmim_snapshot(cam, seen, sizeof seen, 0, NULL, &error));
  WORKS(shmim_post(cam, -1, &error));
  WORKS(shmim_post(cam, 3, &error));
  FAILS(shmim_post(cam, 10, &error), SHMIM_USAGE, "semaphore");
  FAILS(shmim_post(cam, -2, &error), SHMIM_USAGE, "below 0");

  /* A handle goes on with the stream that has come in the place of its own; in another format it
   * does not. */
  shmim_close(made("cam", SHMIM_UINT32, 1, four, 0));
  WORKS(shmim_write(cam, first, sizeof first, 0, NULL, 0, &cnt0, &error));
  CHECK(cnt0 == 1 && shmim_is_current(cam));
  /* Who looks at the array of the one before may go on to. */
  const uint32_t* const looked_at = shmim_array(cam);
  shmim_close(made("cam", SHMIM_UINT32, 1, four, 0));
  WORKS(shmim_write(cam, second, sizeof second, 0, NULL, 0, &cnt0, &error));
  CHECK(looked_at[3] == first[3] && ((const uint32_t*)shmim_array(cam))[3] == second[3]);
  shmim_close(made("cam", SHMIM_FLOAT32, 1, four, 0));
  FAILS(shmim_write(cam, first, sizeof first, 0, NULL, 0, NULL, &error), SHMIM_MISMATCH, "cam");
  WORKS(shmim_remove("cam", NULL, &error));
  FAILS(shmim_write(other, first, sizeof first, 0, NULL, 0, NULL, &error), SHMIM_REMOVED, "cam");
  shmim_close(other);
  shmim_close(cam);
}

/* A frame whose writer is killed in the middle is told from a whole one, and the next writer mends
 * it. */
static void test_death_in_mid_frame(void) {
  shmim_stream* const cam = made("cam", SHMIM_UINT32, 1, four, 0);
  uint32_t seen[4];
  const pid_t child = fork();
  if (child == 0) {
    shmim_stream* mine;
    void* pixels;
    if (shmim_open("cam", NULL, &mine, NULL) == SHMIM_OK &&
        shmim_begin(mine, 0, &pixels, NULL) == SHMIM_OK) {
      ((uint32_t*)pixels)[0] = 99;
    }
    raise(SIGKILL);
  }
  waitpid(child, NULL, 0);
  const int problem = shmim_snapshot(cam, seen, sizeof seen, millisecond, NULL, &error);
  /* In a container a PID without a lock is believed to live, elsewhere. */
  CHECK(problem == SHMIM_UNFINISHED || problem == SHMIM_BUSY);
  const uint32_t whole[] = {1, 1, 1, 1};
  WORKS(shmim_write(cam, whole, sizeof whole, 0, NULL, 0, NULL, &error));
  WORKS(shmim_snapshot(cam, seen, sizeof seen, 0, NULL, &error));
  CHECK(memcmp(seen, whole, sizeof whole) == 0);
  shmim_close(cam);
}

/* As programs wait that are woken by posts, with a frame or without. */
static void test_semaphores(void) {
  shmim_stream* const cam = made("cam", SHMIM_UINT32, 1, four, 0);
  shmim_semaphore semaphore;
  unsigned posts;
  int index = -1;
  int again = -1;
  WORKS(shmim_claim_semaphore(cam, 3, &index, &error));
  WORKS(shmim_claim_semaphore(cam, 5, &again, &error));
  CHECK(index == 3 && again == 3);
  WORKS(shmim_get_semaphore(cam, 3, &semaphore, &error));
  CHECK(semaphore.value == 0 && semaphore.reader == getpid() && semaphore.poster <= 0);
  FAILS(shmim_wait_semaphore(cam, 3, millisecond, &error), SHMIM_TIMED_OUT, "nothing was posted");
  WORKS(shmim_write(cam, NULL, 0, 0, NULL, 0, NULL, &error));
  WORKS(shmim_wait_semaphore(cam, 3, patience, &error));
  WORKS(shmim_post(cam, 3, &error));
  WORKS(shmim_wait_semaphore(cam, 3, -1, &error));
  for (int post = 0; post < 3; ++post) {
    WORKS(shmim_post(cam, 3, &error));
  }
  WORKS(shmim_get_semaphore(cam, 3, &semaphore, &error));
  CHECK(semaphore.value == 3 && semaphore.poster == getpid());
  WORKS(shmim_drain_semaphore(cam, 3, &posts, &error));
  CHECK(posts == 3);
  WORKS(shmim_drain_semaphore(cam, 3, NULL, &error));
  FAILS(shmim_get_semaphore(cam, 10, &semaphore, &error), SHMIM_USAGE, "semaphore");
  FAILS(shmim_get_semaphore(cam, 0, NULL, &error), SHMIM_USAGE, "NULL");
  FAILS(shmim_wait_semaphore(cam, -1, 0, &error), SHMIM_USAGE, "below 0");
  FAILS(shmim_drain_semaphore(cam, 10, NULL, &error), SHMIM_USAGE, "semaphore");

  shmim_header header;
  shmim_get_header(cam, &header);
  CHECK(strcmp(header.version, "2.00") == 0 && header.shared == 1 && header.write == 0);
  CHECK(header.created > 0 && header.created <= shmim_now() && header.cnt2 == 0);
  shmim_close(cam);

  shmim_format format;
  shmim_stream* none;
  shmim_default_format(&format, SHMIM_UINT32, 1, four);
  format.semaphores = 0;
  WORKS(shmim_create("none", &format, SHMIM_NEW, NULL, &none, &error));
  FAILS(shmim_claim_semaphore(none, 0, &index, &error), SHMIM_CLAIMED,
        "none: no semaphore is free");
  WORKS(shmim_remove("none", NULL, &error));
  shmim_close(none);
}

static void* write_frames(void* of) {
  shmim_stream* const stream = of;
  for (uint32_t n = 1; n <= 1000; ++n) {
    const uint32_t pixels[] = {n, n, n, n};
    if (shmim_write(stream, pixels, sizeof pixels, (int64_t)n, NULL, 0, NULL, NULL) != SHMIM_OK) {
      break;
    }
  }
  return NULL;
}

static int always(void* of) {
  ++*(int*)of;
  return 1;
}

static void test_following(void) {
  shmim_stream* const cam = made("cam", SHMIM_UINT32, 1, four, 1100);
  shmim_stream* const dm = made("dm", SHMIM_UINT32, 1, four, 0);
  shmim_stream* source;
  shmim_follower* follower;
  shmim_frame frame;
  shmim_trigger* trigger;
  uint32_t seen[4];
  WORKS(shmim_open("cam", NULL, &source, &error));
  WORKS(shmim_follow(cam, NULL, &follower, &error));
  FAILS(shmim_next(follower, seen, sizeof seen, millisecond, &frame, &error), SHMIM_TIMED_OUT,
        "no frame came");
  FAILS(shmim_next(follower, seen, 4, millisecond, &frame, &error), SHMIM_USAGE,
        "room for 4 bytes");
  pthread_t writer;
  CHECK(pthread_create(&writer, NULL, write_frames, source) == 0);
  /* Every frame, in order and whole, each with its number and time; the buffer holds them all. */
  for (uint32_t n = 1; n <= 1000; ++n) {
    WORKS(shmim_next(follower, seen, sizeof seen, patience, &frame, &error));
    CHECK(seen[0] == n && seen[3] == n && frame.cnt0 == n && frame.atime == n && frame.missed == 0);
    CHECK(frame.taken >= frame.writetime && frame.writetime > 0);
  }
  pthread_join(writer, NULL);

  /* The trace names the frame that was taken, whatever has come since. */
  WORKS(shmim_trigger_of(follower, &trigger, &error));
  write_frames(source);
  WORKS(shmim_write(dm, seen, sizeof seen, 0, trigger, 0, NULL, &error));
  shmim_free_trigger(trigger);
  shmim_free_trigger(NULL);
  shmim_step steps[10];
  size_t count = 0;
  WORKS(shmim_trace(dm, steps, 10, &count, &error));
  CHECK(count == 2 && steps[0].cnt0 == 1000 && steps[0].trigger_inode == shmim_inode(cam));
  CHECK(steps[0].pid == getpid() && steps[0].state == 0 && steps[0].written >= steps[0].triggered);
  CHECK(steps[1].trigger_inode == 0);
  WORKS(shmim_trace(dm, NULL, 0, &count, &error));
  CHECK(count == 2);
  WORKS(shmim_trigger_now(cam, &trigger, &error));
  void* pixels;
  WORKS(shmim_begin(dm, 0, &pixels, &error));
  WORKS(shmim_commit(dm, 0, trigger, NULL, &error));
  WORKS(shmim_trace(dm, steps, 1, &count, &error));
  CHECK(steps[0].cnt0 == 2000);
  shmim_free_trigger(trigger);
  shmim_unfollow(follower);
  shmim_unfollow(NULL);

  /* The newest skips what was missed, and says how many. */
  shmim_follow_options options = {0};
  int asked = 0;
  options.newest = 1;
  options.passive = 1;
  WORKS(shmim_follow(cam, &options, &follower, &error));
  write_frames(source);
  WORKS(shmim_next(follower, seen, sizeof seen, patience, &frame, &error));
  CHECK(seen[0] == 1000 && frame.cnt0 == 3000 && frame.missed == 999);
  shmim_unfollow(follower);
  options.is_cancelled = always;
  options.of = &asked;
  WORKS(shmim_follow(cam, &options, &follower, &error));
  FAILS(shmim_next(follower, seen, sizeof seen, -1, &frame, &error), SHMIM_INTERRUPTED,
        "interrupted");
  CHECK(asked > 0);
  shmim_unfollow(follower);

  /* A re-created stream is followed in the same format, and its end is told, after its handle was
   * closed too. */
  WORKS(shmim_follow(cam, NULL, &follower, &error));
  shmim_close(cam);
  shmim_stream* again = made("cam", SHMIM_UINT32, 1, four, 1100);
  WORKS(shmim_write(again, seen, sizeof seen, 0, NULL, 0, NULL, &error));
  WORKS(shmim_next(follower, seen, sizeof seen, patience, &frame, &error));
  CHECK(frame.cnt0 == 1 && frame.missed == 0);
  shmim_close(again);
  again = made("cam", SHMIM_FLOAT32, 1, four, 0);
  FAILS(shmim_next(follower, seen, sizeof seen, patience, &frame, &error), SHMIM_MISMATCH,
        "type is float32, not uint32");
  shmim_unfollow(follower);
  WORKS(shmim_follow(again, NULL, &follower, &error));
  WORKS(shmim_remove("cam", NULL, &error));
  FAILS(shmim_next(follower, seen, sizeof seen, patience, &frame, &error), SHMIM_REMOVED,
        "removed");
  shmim_unfollow(follower);
  shmim_close(again);
  shmim_close(source);
  shmim_close(dm);
}

/* Where z is time a frame is a plane, for the writer and for who follows. */
static void test_planes(void) {
  shmim_format format;
  const uint32_t size[] = {4, 1, 3};
  shmim_stream* ring;
  shmim_follower* follower;
  shmim_frame frame;
  uint32_t seen[12];
  shmim_default_format(&format, SHMIM_UINT32, 3, size);
  format.image_type = 0x20001;
  WORKS(shmim_create("ring", &format, SHMIM_NEW, NULL, &ring, &error));
  CHECK(shmim_bytes(ring) == 48 && shmim_frame_bytes(ring) == 16);
  WORKS(shmim_follow(ring, NULL, &follower, &error));
  for (uint32_t n = 1; n <= 4; ++n) {
    const uint32_t pixels[] = {n, n, n, n};
    WORKS(shmim_write(ring, pixels, sizeof pixels, 0, NULL, 0, NULL, &error));
    WORKS(shmim_next(follower, seen, 16, patience, &frame, &error));
    CHECK(seen[0] == n && frame.cnt0 == n);
  }
  WORKS(shmim_snapshot(ring, seen, sizeof seen, 0, &frame, &error));
  CHECK(frame.cnt1 < 3 && seen[4 * frame.cnt1] == 4);
  shmim_unfollow(follower);
  shmim_close(ring);
  WORKS(shmim_remove("ring", NULL, &error));
}

static void test_keywords(void) {
  shmim_stream* const cam = made("cam", SHMIM_UINT8, 1, four, 0);
  shmim_keyword set[3];
  shmim_keyword found[10];
  size_t count = 0;
  memset(set, 0, sizeof set);
  strcpy(set[0].name, "GAIN");
  set[0].kind = 'L';
  set[0].integer = -4;
  strcpy(set[0].comment, "dB");
  strcpy(set[1].name, "EXPTIME");
  set[1].kind = 'D';
  set[1].real = 0.5;
  strcpy(set[2].name, "FILTER");
  set[2].kind = 'S';
  strcpy(set[2].string, "H");
  WORKS(shmim_set_keywords(cam, set, 3, &error));
  WORKS(shmim_keywords(cam, found, 10, &count, &error));
  CHECK(count == 3);
  CHECK(strcmp(found[0].name, "GAIN") == 0 && found[0].kind == 'L' && found[0].integer == -4);
  CHECK(strcmp(found[0].comment, "dB") == 0);
  CHECK(found[1].kind == 'D' && found[1].real == 0.5);
  CHECK(found[2].kind == 'S' && strcmp(found[2].string, "H") == 0);
  WORKS(shmim_keywords(cam, found, 1, &count, &error));
  CHECK(count == 3);
  set[0].integer = 7;
  set[0].comment[0] = '\0';
  WORKS(shmim_set_keywords(cam, set, 1, &error));
  WORKS(shmim_get_keyword(cam, "GAIN", &found[0], &error));
  CHECK(found[0].integer == 7 && strcmp(found[0].comment, "dB") == 0);
  FAILS(shmim_get_keyword(cam, "NONE", &found[0], &error), SHMIM_NOT_FOUND,
        "cam: there is no keyword NONE");
  WORKS(shmim_erase_keyword(cam, "GAIN", &error));
  FAILS(shmim_erase_keyword(cam, "GAIN", &error), SHMIM_NOT_FOUND, "GAIN");
  set[1].kind = 'X';
  FAILS(shmim_set_keywords(cam, set, 3, &error), SHMIM_USAGE, "L, D or S");
  WORKS(shmim_keywords(cam, found, 10, &count, &error));
  CHECK(count == 2);
  /* Fields that are full have no zero at their end. */
  memset(set[1].name, 'N', sizeof set[1].name);
  set[1].kind = 'L';
  FAILS(shmim_set_keywords(cam, &set[1], 1, &error), SHMIM_USAGE, "17");
  shmim_close(cam);
}

static void test_reading_only(void) {
  shmim_stream* cam = made("cam", SHMIM_UINT8, 1, four, 0);
  shmim_follower* follower;
  char path[4096];
  void* pixels;
  snprintf(path, sizeof path, "%s", shmim_path(cam));
  shmim_close(cam);
  chmod(path, 0444);
  const pid_t child = fork();
  if (child == 0) {
    failures = 0;
    if (geteuid() == 0 && seteuid(65534) != 0) {
      _exit(0);
    }
    WORKS(shmim_open("cam", NULL, &cam, &error));
    CHECK(!shmim_is_writable(cam));
    FAILS(shmim_begin(cam, 0, &pixels, &error), SHMIM_NOT_OURS_TO_WRITE, "cam");
    FAILS(shmim_write(cam, NULL, 0, 0, NULL, 0, NULL, &error), SHMIM_NOT_OURS_TO_WRITE, "cam");
    FAILS(shmim_post(cam, -1, &error), SHMIM_NOT_OURS_TO_WRITE, "cam");
    FAILS(shmim_wait_semaphore(cam, 0, 0, &error), SHMIM_NOT_OURS_TO_WRITE, "cam");
    WORKS(shmim_follow(cam, NULL, &follower, &error));
    shmim_unfollow(follower);
    shmim_close(cam);
    fflush(stdout);
    _exit(failures != 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  WORKS(shmim_remove("cam", NULL, &error));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  directory = argv[1];
  setenv("MILK_SHM_DIR", directory, 1);
  test_sizes();
  test_types();
  test_names();
  test_open_and_create();
  test_reading_and_writing();
  test_death_in_mid_frame();
  test_semaphores();
  test_following();
  test_planes();
  test_keywords();
  test_reading_only();
  return failures != 0;
}
