/* The structures of ImageStreamIO, version 2.00. Those of a file lie in it byte for byte; IMAGE is
 * what a program has of a stream. What each field means is in shmim-stream(5). */

#ifndef _IMAGESTRUCT_H
#define _IMAGESTRUCT_H

#if defined(DAO_COMPAT) || defined(IMAGESTRUCT_WRITEHISTORY)
#error \
    "DAO_COMPAT and IMAGESTRUCT_WRITEHISTORY change the layout: only the library built with them has it"
#endif

#include <sched.h> /* struct timespec, also in strict C99 */
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_CUDA
#include <cuda_runtime_api.h>
#else
typedef char cudaIpcMemHandle_t[64];
#endif

#include "ImageStreamIOError.h"
#include "ImageStreamIO_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STRINGMAXLEN_IMAGE_NAME 80
#define STRINGMAXLEN_FILE_NAME 200
#define STRINGMAXLEN_DIR_NAME 800
#define STRINGMAXLEN_SEMFILENAME 200
#define KEYWORD_MAX_STRING 16
#define KEYWORD_MAX_COMMENT 80
#define IMAGESTRUCT_FRAMEWRITEMDSIZE 100
#define MAX_NB_PARTIAL_PACKET 512

/* Unless MILK_SHM_DIR names another; /tmp where it is not there. */
#define SHAREDMEMDIR "/milk/shm"

#define SEMAPHORE_MAXVAL 10 /* a semaphore that has reached it is not posted */
#define SEMAPHORE_INITVAL 0
#define IMAGE_NB_SEMAPHORE 10
#define IMAGE_NB_PROCTRACE 10
#define GPU_IMAGE_PLACEHOLDER 0

#define _DATATYPE_UNINITIALIZED 0
#define _DATATYPE_UINT8 1
#define _DATATYPE_INT8 2
#define _DATATYPE_UINT16 3
#define _DATATYPE_INT16 4
#define _DATATYPE_UINT32 5
#define _DATATYPE_INT32 6
#define _DATATYPE_UINT64 7
#define _DATATYPE_INT64 8
#define _DATATYPE_FLOAT 9
#define _DATATYPE_DOUBLE 10
#define _DATATYPE_COMPLEX_FLOAT 11
#define _DATATYPE_COMPLEX_DOUBLE 12
#define _DATATYPE_HALF 13
#define _DATATYPE_EVENT_UI8_UI8_UI16_UI8 20

#define SIZEOF_DATATYPE_UINT8 1
#define SIZEOF_DATATYPE_INT8 1
#define SIZEOF_DATATYPE_UINT16 2
#define SIZEOF_DATATYPE_INT16 2
#define SIZEOF_DATATYPE_UINT32 4
#define SIZEOF_DATATYPE_INT32 4
#define SIZEOF_DATATYPE_UINT64 8
#define SIZEOF_DATATYPE_INT64 8
#define SIZEOF_DATATYPE_FLOAT 4
#define SIZEOF_DATATYPE_DOUBLE 8
#define SIZEOF_DATATYPE_COMPLEX_FLOAT 8
#define SIZEOF_DATATYPE_COMPLEX_DOUBLE 16
#define SIZEOF_DATATYPE_HALF 2
#define SIZEOF_DATATYPE_EVENT_UI8_UI8_UI16_UI8 5

#define Dtype 9
#define CDtype 11

/* Bits of semctrl and semstatus. */
#define IMAGE_SEMAPHORE_CONTROL_READY 0x00000001
#define IMAGE_SEMAPHORE_STATUS_CONNECTED 0x00000001
#define IMAGE_SEMAPHORE_STATUS_SEMWAIT 0x00000002
#define IMAGE_SEMAPHORE_STATUS_SEMREADYWAIT 0x00000004
#define IMAGE_SEMAPHORE_STATUS_SEMTIMEOUT 0x00000008

/* Bits of imagetype. */
#define CIRCULAR_BUFFER 0x0001 /* the planes are frames, written in turn */
#define MATH_DATA 0x0002
#define IMG_RECV 0x0004
#define IMG_SENT 0x0008
#define ZAXIS_UNDEF 0x00000
#define ZAXIS_SPACIAL 0x10000
#define ZAXIS_TEMPORAL 0x20000
#define ZAXIS_WAVELENGTH 0x30000
#define ZAXIS_MAPPING 0x40000

typedef struct {
  char name[KEYWORD_MAX_STRING];
  char type; /* 'N' not in use, 'L' numl, 'D' numf, 'S' valstr */
  union {
    int64_t numl;
    double numf;
    char valstr[KEYWORD_MAX_STRING];
  } value;
  uint64_t cnt;
  char comment[KEYWORD_MAX_COMMENT];
} IMAGE_KEYWORD;

typedef struct {
  int64_t firstlong;
  int64_t secondlong;
} TIMESPECFIXED;

typedef struct {
  float re;
  float im;
} complex_float;

typedef struct {
  double re;
  double im;
} complex_double;

typedef struct {
  char version[32];
  char name[STRINGMAXLEN_IMAGE_NAME];
  uint8_t naxis;
  uint32_t size[3];
  uint64_t nelement;
  uint8_t datatype;
  uint64_t imagetype;
  struct timespec creationtime;
  struct timespec lastaccesstime;
  struct timespec atime;
  struct timespec writetime;
  pid_t creatorPID;
  pid_t ownerPID;
  uint8_t shared;
  ino_t inode;
  int8_t location;
  uint8_t status;
  uint64_t flag;
  uint8_t logflag;
  uint16_t sem;
  uint16_t NBproctrace;
  uint64_t cnt0;
  uint64_t cnt1;
  uint64_t cnt2;
  volatile uint8_t write; /* others look at it while it changes */
  uint16_t NBkw;
  uint32_t CBsize;
  uint32_t CBindex;
  uint64_t CBcycle;
  uint64_t imdatamemsize;
  cudaIpcMemHandle_t cudaMemHandle;
} IMAGE_METADATA;

typedef struct {
  int triggermode;
  pid_t procwrite_PID;
  ino_t trigger_inode;
  struct timespec ts_procstart;
  struct timespec ts_streamupdate;
  int trigsemindex;
  int triggerstatus;
  uint64_t cnt0;
} STREAM_PROC_TRACE;

typedef struct {
  uint64_t cnt0;
  uint64_t cnt1;
  struct timespec atime;
  struct timespec writetime;
} CBFRAMEMD;

typedef struct {
  uint64_t cnt0;
  pid_t wpid;
  struct timespec writetime;
} FRAMEWRITEMD;

typedef struct {
  sem_t semdata;
} SEMFILEDATA;

/* Owns what it points to: of a shared image the mapping (md, memsize bytes), its file (shmfd) and
 * the table semptr; of a local one md, kw and array, each from malloc(). A copy of it does not own
 * them twice. */
typedef struct {
  char name[STRINGMAXLEN_IMAGE_NAME]; /* by which it was opened; md->name is the one it was made
                                         with */
  uint8_t used;                       /* 1 while there is an image in it */
  int64_t createcnt;
  int32_t shmfd;
  uint64_t memsize;
  sem_t* semlog;
  IMAGE_METADATA* md;
  union {
    void* raw;
    uint8_t* UI8;
    int8_t* SI8;
    uint16_t* UI16;
    int16_t* SI16;
    uint32_t* UI32;
    int32_t* SI32;
    uint64_t* UI64;
    int64_t* SI64;
    float* F;
    double* D;
    complex_float* CF;
    complex_double* CD;
  } array;
  sem_t** semptr;
  IMAGE_KEYWORD* kw;
  SEMFILEDATA* semfile;
  pid_t* semReadPID;
  pid_t* semWritePID;
  uint32_t* semctrl;
  uint32_t* semstatus;
  STREAM_PROC_TRACE* streamproctrace;
  uint64_t* flagarray; /* of no use: NULL */
  uint64_t* cntarray;
  struct timespec* atimearray;
  struct timespec* writetimearray;
  CBFRAMEMD* CircBuff_md;
  void* CBimdata;
} IMAGE;

/* The flag and the counter, with the order that readers rely on. No pixel of a frame is seen before
 * its flag, and the count and the cleared flag are not seen before all of the frame. LOAD gives the
 * field, INCREMENT what it was before. */
#define SHMIM_WRITE_ACQUIRE(md)                                  \
  (__atomic_store_n(&(md)->write, (uint8_t)1, __ATOMIC_RELEASE), \
   __atomic_thread_fence(__ATOMIC_RELEASE))
#define SHMIM_WRITE_RELEASE(md) __atomic_store_n(&(md)->write, (uint8_t)0, __ATOMIC_RELEASE)
#define SHMIM_WRITE_LOAD(md) __atomic_load_n(&(md)->write, __ATOMIC_ACQUIRE)
#define SHMIM_CNT0_INCREMENT(md) __atomic_fetch_add(&(md)->cnt0, (uint64_t)1, __ATOMIC_RELEASE)
#define SHMIM_CNT0_LOAD(md) __atomic_load_n(&(md)->cnt0, __ATOMIC_ACQUIRE)

#ifdef __cplusplus
}
#endif

#endif
