/* Streams for programs in C, and for whatever can call C. Link with -lshmim.
 *
 * Every function that can fail gives SHMIM_OK or the number of a problem, and tells more in
 * `error`, which may be NULL. No exception leaves the library. A function that takes a directory
 * takes NULL for the usual one (MILK_SHM_DIR, else /milk/shm, else /dev/shm).
 *
 * Times are nanoseconds since 1970 on the clock of the streams, TAI; 0: never. A time to wait is in
 * nanoseconds, below 0 without end. Axis 0 varies fastest: of an image it is the column.
 *
 * A handle is for one thread at a time; different handles, of the same stream too, may be used at
 * once. What is given back by a handle, names and pointers to pixels, is valid until the handle is
 * closed. NULL may be closed.
 */
#ifndef SHMIM_SHMIM_H
#define SHMIM_SHMIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHMIM_API __attribute__((visibility("default")))

/* What went wrong. */
enum shmim_problem {
  SHMIM_OK = 0,
  SHMIM_FAILED = 1,             /* none of the below; the message says what */
  SHMIM_USAGE = 2,              /* a reference, format or value that cannot be meant */
  SHMIM_NOT_FOUND = 3,          /* no such stream */
  SHMIM_EXISTS = 4,             /* there is one already, and there must not be */
  SHMIM_MISMATCH = 5,           /* the stream's format is not the one asked for */
  SHMIM_NOT_A_STREAM = 6,       /* the file of that name is no stream, or not yet */
  SHMIM_NO_PERMISSION = 7,      /* the system refused */
  SHMIM_NO_SPACE = 8,           /* the file system is full */
  SHMIM_NO_DIRECTORY = 9,       /* the shm directory is not there */
  SHMIM_NOT_OURS_TO_WRITE = 10, /* opened for reading only */
  SHMIM_ON_GPU = 11,            /* the pixels are in the memory of a GPU */
  SHMIM_CLAIMED = 12,           /* somebody else has claimed what was asked for */
  SHMIM_UNFINISHED = 13,        /* the array holds a frame whose writer died or gave up */
  SHMIM_BUSY = 14, /* writers left no whole frame to read, or no turn to write, in the time given */
  SHMIM_REMOVED = 15,     /* the stream was removed meanwhile */
  SHMIM_TIMED_OUT = 16,   /* nothing came in the time given */
  SHMIM_INTERRUPTED = 17, /* a signal came, or the caller wished to stop */
  SHMIM_NO_MEMORY = 18
};

typedef struct shmim_error {
  int problem;       /* enum shmim_problem */
  int error_number;  /* errno of the call that failed, or 0 */
  char message[504]; /* `stream: what: why`, cut off where it is longer */
} shmim_error;

/* The codes of the file. */
enum shmim_type {
  SHMIM_UINT8 = 1,
  SHMIM_INT8 = 2,
  SHMIM_UINT16 = 3,
  SHMIM_INT16 = 4,
  SHMIM_UINT32 = 5,
  SHMIM_INT32 = 6,
  SHMIM_UINT64 = 7,
  SHMIM_INT64 = 8,
  SHMIM_FLOAT32 = 9,
  SHMIM_FLOAT64 = 10,
  SHMIM_COMPLEX64 = 11,  /* two float32: real, imaginary */
  SHMIM_COMPLEX128 = 12, /* two float64 */
  SHMIM_FLOAT16 = 13     /* IEEE 754 binary16 */
};

/* What a stream is made with, fixed for its life. shmim_default_format() fills in what a caller has
 * no wish about. */
typedef struct shmim_format {
  uint32_t type; /* enum shmim_type */
  uint32_t axes; /* 1 to 3 */
  uint32_t size[3];
  uint32_t keywords;        /* slots */
  uint32_t circular_buffer; /* frames; 0 none */
  uint32_t semaphores;
  uint64_t image_type;
  int32_t location; /* -1 in CPU memory, else the GPU that holds the array */
  uint32_t reserved;
} shmim_format;

/* What is known of a frame besides its pixels. */
typedef struct shmim_frame {
  uint64_t cnt0; /* its number */
  uint64_t cnt1; /* slice written last, of a circular stream */
  uint64_t
      missed; /* frames published before it, since the one taken before, that could not be taken */
  int64_t atime;     /* when its data was acquired */
  int64_t writetime; /* when it was written */
  int64_t taken;     /* when we were woken for it, or found it waiting */
} shmim_frame;

/* What the header has besides the format and the newest frame, as it stands. */
typedef struct shmim_header {
  char version[32]; /* of the layout: `2.00` */
  int64_t created;
  int64_t accessed; /* stamped by a writer of pyMilk, in place of writetime */
  uint64_t cnt2;
  uint64_t flag;
  int32_t shared;
  int32_t status;
  int32_t logflag;
  int32_t write; /* not 0 while a frame is being written */
} shmim_header;

/* A semaphore, as it stands. */
typedef struct shmim_semaphore {
  int32_t value;  /* posts that nobody has taken */
  int32_t reader; /* PID of who has claimed it; 0 or -1 nobody */
  int32_t poster; /* PID of who posted it last; 0 or -1 nobody */
} shmim_semaphore;

/* One step in the making of a frame: a process that wrote a stream, and what made it do so. */
typedef struct shmim_step {
  int64_t written; /* when it wrote the stream; 0 unless it is done */
  int64_t triggered;
  uint64_t trigger_inode; /* of the stream that triggered it; 0 none */
  uint64_t cnt0;          /* the trigger stream's, at trigger */
  int32_t pid;
  int32_t state;     /* 0 done, 1 in the middle of writing or dead there, 2 given up */
  int32_t mode;      /* 0 immediate, 1 cnt0, 2 cnt1, 3 semaphore, 4 delay, 6 cnt2 */
  int32_t semaphore; /* index in the trigger stream; -1 none */
} shmim_step;

/* A FITS-style keyword. Its name has at most 16 bytes, a string 16 and the comment 80. */
typedef struct shmim_keyword {
  char name[17];
  char kind; /* 'L' integer, 'D' real, 'S' string */
  char string[17];
  char comment[81];
  int64_t integer;
  double real;
} shmim_keyword;

typedef struct shmim_stream shmim_stream;     /* an open stream */
typedef struct shmim_follower shmim_follower; /* goes through a stream's frames as they come */
typedef struct shmim_trigger
    shmim_trigger; /* what made a process write: a frame, with its ancestors */

/* `0.1.0` */
SHMIM_API const char* shmim_version(void);
/* `uint16`; NULL for a code that is no type. */
SHMIM_API const char* shmim_type_name(uint32_t type);
/* Bytes of an element; 0 for a code that is no type. */
SHMIM_API size_t shmim_type_size(uint32_t type);
/* The code of `uint16`, `u16`, `<u2`, `float`...; 0 if there is none. */
SHMIM_API uint32_t shmim_type_of(const char* name);
/* The present time. */
SHMIM_API int64_t shmim_now(void);
/* TAI minus UTC in seconds, as the kernel knows it: 37 where time is well kept, 0 where nobody has
 * told it. */
SHMIM_API int64_t shmim_tai_offset(void);

/* The usual directory of streams, into `directory`. */
SHMIM_API int shmim_directory(char* directory, size_t size, shmim_error* error);
/* Names of the streams in a directory that match a shell pattern (NULL: all), sorted, behind them
 * NULL; to be given to shmim_free_names(). */
SHMIM_API int shmim_list(const char* directory, const char* pattern, char*** names,
                         shmim_error* error);
SHMIM_API void shmim_free_names(char** names);

/* 10 keywords, 10 semaphores, no circular buffer. `size` has `axes` lengths, of 3 at most. */
SHMIM_API void shmim_default_format(shmim_format* format, uint32_t type, uint32_t axes,
                                    const uint32_t* size);
/* Opens a stream by a reference as the tools take it, without a slice: `cam`, `tui16>cam`. For
 * writing too where that is permitted. */
SHMIM_API int shmim_open(const char* reference, const char* directory, shmim_stream** stream,
                         shmim_error* error);

enum shmim_creation {
  SHMIM_NEW = 0, /* a stream of that name is an error: SHMIM_EXISTS */
  SHMIM_IF_MISSING =
      1, /* one of that type, shape and circular buffer is opened; another is SHMIM_MISMATCH */
  SHMIM_REPLACE = 2 /* takes the place of what has the name; who waits on that is woken */
};
/* Makes a stream, whole and in one step: of any number of processes that do so at once, one makes
 * it. Blocks for 5 s at most, while others replace streams in the directory. */
SHMIM_API int shmim_create(const char* name, const shmim_format* format,
                           enum shmim_creation creation, const char* directory,
                           shmim_stream** stream, shmim_error* error);
SHMIM_API void shmim_close(shmim_stream* stream);
/* Removes a stream, and wakes whoever waits on it. */
SHMIM_API int shmim_remove(const char* name, const char* directory, shmim_error* error);

SHMIM_API const char* shmim_name(const shmim_stream* stream);
SHMIM_API const char* shmim_path(const shmim_stream* stream);
SHMIM_API void shmim_get_format(const shmim_stream* stream, shmim_format* format);
/* Bytes of the array. */
SHMIM_API size_t shmim_bytes(const shmim_stream* stream);
/* Bytes of what is published at a time: of the array, or where z is time of one plane. */
SHMIM_API size_t shmim_frame_bytes(const shmim_stream* stream);
SHMIM_API int shmim_is_writable(const shmim_stream* stream);
/* 1 while its path leads to it: not removed, nor re-created. */
SHMIM_API int shmim_is_current(const shmim_stream* stream);
/* Inode of the file, by which traces name the stream. */
SHMIM_API uint64_t shmim_inode(const shmim_stream* stream);
/* Counters and times of the newest frame. Waits for nobody. */
SHMIM_API void shmim_newest(const shmim_stream* stream, shmim_frame* frame);
SHMIM_API void shmim_get_header(const shmim_stream* stream, shmim_header* header);

/* The live array: a writer may alter it while you look. NULL if it is in the memory of a GPU. It
 * stays the array of this stream when shmim_write() goes on with one that has come in its place. */
SHMIM_API const void* shmim_array(const shmim_stream* stream);
/* Copies one whole frame, never parts of two. `pixels` has `bytes`, at least shmim_bytes(). Waits
 * for a writer in mid-frame. `frame` may be NULL. */
SHMIM_API int shmim_snapshot(shmim_stream* stream, void* pixels, size_t bytes, int64_t timeout,
                             shmim_frame* frame, shmim_error* error);

/* Begins a frame: waits for its turn, and gives the array to write to, of shmim_bytes(), which
 * holds the frame before. Readers wait until shmim_commit() or shmim_cancel(). SHMIM_USAGE if one
 * is begun already. */
SHMIM_API int shmim_begin(shmim_stream* stream, int64_t timeout, void** pixels, shmim_error* error);
/* Shows the frame that was begun: times, circular buffer, trace and cnt0, then the posts. `atime`
 * 0: now; `trigger`, what caused it, and `cnt0`, for its number, may be NULL. */
SHMIM_API int shmim_commit(shmim_stream* stream, int64_t atime, const shmim_trigger* trigger,
                           uint64_t* cnt0, shmim_error* error);
/* Ends a frame that was begun without showing it: for a writer that has touched no pixel. */
SHMIM_API void shmim_cancel(shmim_stream* stream);
/* Ends a frame that was begun and cannot be finished: nothing is shown, readers are told that it is
 * unfinished, and the next frame that is written whole mends it. So does shmim_close() in the
 * middle of one. */
SHMIM_API void shmim_abandon(shmim_stream* stream);
/* Publishes a frame of shmim_frame_bytes(), in the next plane where z is time; with `pixels` NULL,
 * a full update of what is there. A stream that was re-created meanwhile in the same type and shape
 * is followed, and is what the handle has afterwards. `lost` frames are counted before it, which
 * followers find missed. Waits a second at most. */
SHMIM_API int shmim_write(shmim_stream* stream, const void* pixels, size_t bytes, int64_t atime,
                          const shmim_trigger* trigger, uint64_t lost, uint64_t* cnt0,
                          shmim_error* error);

/* Posts semaphore `index`, or with -1 all of them, without a frame. */
SHMIM_API int shmim_post(shmim_stream* stream, int index, shmim_error* error);
/* The four below are for programs that wait on the semaphores themselves, as those of the C library
 * do, and are woken by posts, with a frame or without; shmim_follow() is for frames. An index that
 * is out of range is SHMIM_USAGE. */
SHMIM_API int shmim_get_semaphore(const shmim_stream* stream, int index, shmim_semaphore* semaphore,
                                  shmim_error* error);
/* Claims a semaphore as such programs do: by the PID, for the whole process, until it ends. Gives
 * the one that the process has so already; else `wish`, where that is free; else the first that is.
 * SHMIM_CLAIMED if none is. Not for two threads at once. */
SHMIM_API int shmim_claim_semaphore(const shmim_stream* stream, int wish, int* index,
                                    shmim_error* error);
/* Waits for a post and takes it, claimed or not. SHMIM_TIMED_OUT, SHMIM_INTERRUPTED. */
SHMIM_API int shmim_wait_semaphore(const shmim_stream* stream, int index, int64_t timeout,
                                   shmim_error* error);
/* Takes the posts that are there; `posts`, for how many those were, may be NULL. */
SHMIM_API int shmim_drain_semaphore(const shmim_stream* stream, int index, unsigned* posts,
                                    shmim_error* error);

typedef struct shmim_follow_options {
  int newest; /* 0: every frame in order, from the circular buffer; 1: the newest, skipping what was
                 missed */
  int passive;  /* 1: watch cnt0, and leave the semaphores to others */
  int64_t spin; /* busy-wait so long before sleeping */
  int (*is_cancelled)(
      void* of); /* asked some times a second and after each signal, may be NULL; not 0: stop */
  void* of;
} shmim_follow_options;

/* Follows from the frame that is there now on. Claims a semaphore where it may write and one is
 * free, and watches cnt0 elsewhere. `options` may be NULL. The stream may be closed before the
 * follower. */
SHMIM_API int shmim_follow(const shmim_stream* stream, const shmim_follow_options* options,
                           shmim_follower** follower, shmim_error* error);
/* Waits for the next frame and copies it whole; `pixels` has `bytes`, at least shmim_frame_bytes().
 * A stream that is re-created in the same type and shape is followed on. SHMIM_TIMED_OUT,
 * SHMIM_INTERRUPTED, SHMIM_REMOVED; SHMIM_MISMATCH if it was re-created in another format. */
SHMIM_API int shmim_next(shmim_follower* follower, void* pixels, size_t bytes, int64_t timeout,
                         shmim_frame* frame, shmim_error* error);
SHMIM_API void shmim_unfollow(shmim_follower* follower);

/* What a process that was triggered by the frame taken last should put in its trace, however much
 * later it publishes; to be given to shmim_free_trigger(). */
SHMIM_API int shmim_trigger_of(const shmim_follower* follower, shmim_trigger** trigger,
                               shmim_error* error);
/* Likewise of a stream's newest frame. */
SHMIM_API int shmim_trigger_now(const shmim_stream* stream, shmim_trigger** trigger,
                                shmim_error* error);
SHMIM_API void shmim_free_trigger(shmim_trigger* trigger);

/* The steps that led to the newest frame, newest first, into `steps`, which has room for
 * `capacity`; `count` is how many there are. Waits a second at most for a writer in mid-frame. */
SHMIM_API int shmim_trace(const shmim_stream* stream, shmim_step* steps, size_t capacity,
                          size_t* count, shmim_error* error);

/* The keywords, in order, into `keywords`, which has room for `capacity`; `count` is how many there
 * are. */
SHMIM_API int shmim_keywords(const shmim_stream* stream, shmim_keyword* keywords, size_t capacity,
                             size_t* count, shmim_error* error);
/* The keyword of that name; SHMIM_NOT_FOUND if there is none. */
SHMIM_API int shmim_get_keyword(const shmim_stream* stream, const char* name,
                                shmim_keyword* keyword, shmim_error* error);
/* Replaces keywords of those names or takes unused slots; all, or none if one does not fit. An
 * empty comment leaves the one that is there. */
SHMIM_API int shmim_set_keywords(const shmim_stream* stream, const shmim_keyword* keywords,
                                 size_t count, shmim_error* error);
/* SHMIM_NOT_FOUND if there is none. */
SHMIM_API int shmim_erase_keyword(const shmim_stream* stream, const char* name, shmim_error* error);

#ifdef __cplusplus
}
#endif

#endif
