// What libImageStreamIO returns and does, function by function: a program of C that knows nothing
// else of ours. Each line of its output is a fact; those that are not as they must be begin with
// FAILED, and make it fail.
//
//   imagestreamio_conformance               all of it, of our library
//   imagestreamio_conformance --as-theirs   without what the C library does otherwise, or dies of
//
// MILK_SHM_DIR is an empty directory of its own.

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ImageStreamIO.h"

// Of 2026: an older library is as good without.
#ifndef SHMIM_WRITE_ACQUIRE
#define SHMIM_WRITE_ACQUIRE(md) ((md)->write = 1)
#define SHMIM_WRITE_RELEASE(md) ((md)->write = 0)
#define SHMIM_WRITE_LOAD(md) ((md)->write)
#define SHMIM_CNT0_INCREMENT(md) ((md)->cnt0++)
#define SHMIM_CNT0_LOAD(md) ((md)->cnt0)
#endif

// Exported, and in none of the headers.
extern errno_t (*internal_printError)(const char*, const char*, int, errno_t, char*);
errno_t ImageStreamIO_shmdirname(char*);
errno_t ImageStreamIO_printERROR_(const char*, const char*, int, errno_t, char*);
errno_t ImageStreamIO_printWARNING(char*);
errno_t ImageStreamIO_write_process_log(char*);
uint64_t ImageStreamIO_offset_data(IMAGE*, void*);
uint64_t ImageStreamIO_initialize_buffer(IMAGE*);
errno_t ImageStreamIO_store_image_inode(IMAGE*);
errno_t ImageStreamIO_image_sizing(IMAGE*, uint8_t*);
errno_t ImageStreamIO_image_sizing_from_scratch(IMAGE*, const char*, long, uint32_t*, uint8_t,
                                                int8_t, int, int, int, uint64_t, uint32_t,
                                                uint8_t*);

static int failures = 0;
static int facts = 0;
static int as_theirs = 0;

// Standard output is the library's too, at times: what is said of it goes to a copy.
static FILE* report;

#define FACT(condition) fact((condition) != 0, #condition, __LINE__)
static void fact(int holds, const char* what, int line) {
  ++facts;
  if (holds) {
    fprintf(report, "%s\n", what);
  } else {
    ++failures;
    fprintf(report, "FAILED in line %d: %s\n", line, what);
  }
  fflush(report);
}

static void section(const char* name) { fprintf(report, "== %s\n", name); }

static int told = 0;
static int told_code = 0;
static errno_t count_error(const char* file, const char* function, int line, errno_t code,
                           char* message) {
  ++told;
  told_code = file && function && line > 0 && message ? code : -1;
  return 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct timespec in_milliseconds(long milliseconds) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static const char* file_of(const char* name) {
  static char path[1000];
  snprintf(path, sizeof path, "%s/%s.im.shm", getenv("MILK_SHM_DIR"), name);
  return path;
}

static int is_there(const char* name) {
  struct stat status;
  return stat(file_of(name), &status) == 0;
}

static void write_file(const char* name, const void* bytes, size_t size) {
  FILE* file = fopen(file_of(name), "w");
  fwrite(bytes, 1, size, file);
  fclose(file);
}

// An image as callers have it on their stack.
static IMAGE garbage(void) {
  IMAGE image;
  memset(&image, 0xA5, sizeof image);
  image.createcnt = 0;
  return image;
}

static uint32_t size_2d[] = {4, 3};
static uint32_t size_3d[] = {4, 3, 5};

static errno_t create(IMAGE* image, const char* name) {
  return ImageStreamIO_createIm(image, name, 2, size_2d, _DATATYPE_FLOAT, 1, 5, 0);
}

// 0 where the child ends well.
static int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void types(void) {
  section("types");
  static const struct {
    int code, size, checks, checks_complex, real, datatype, bitpix;
    const char *name, *seven, *four;
  } expected[] = {
      {0, -1, -1, -1, -1, -1, -1, "unknown", "unknown", " ???"},
      {1, 1, 0, 0, 9, 11, 8, "UINT8", "UINT8  ", " UI8"},
      {2, 1, 0, 0, 9, 12, 10, "INT8", "INT8   ", "  I8"},
      {3, 2, 0, 0, 9, 20, 20, "UINT16", "UINT16 ", "UI16"},
      {4, 2, 0, 0, 9, 21, 16, "INT16", "INT16  ", " I16"},
      {5, 4, 0, 0, 9, 30, 40, "UINT32", "UINT32 ", "UI32"},
      {6, 4, 0, 0, 9, 31, 32, "INT32", "INT32  ", " I32"},
      {7, 8, 0, 0, 10, 40, 80, "UINT64", "UINT64 ", "UI64"},
      {8, 8, 0, 0, 10, 41, 64, "INT64", "INT64  ", " I64"},
      {9, 4, 0, 0, 9, 42, -32, "FLT32", "FLOAT  ", " FLT"},
      {10, 8, 0, 0, 10, 82, -64, "FLT64", "DOUBLE ", " DBL"},
      {11, 8, -1, 0, 11, -1, -1, "CPLX32", "CFLOAT ", "CFLT"},
      {12, 16, -1, 0, 12, -1, -1, "CPLX64", "CDOUBLE", "CDBL"},
      {13, 2, 0, 0, 13, -1, -1, "FLT16", "FLT16  ", " F16"},
      {14, -1, -1, -1, -1, -1, -1, "unknown", "unknown", " ???"},
      {20, -1, -1, -1, -1, -1, -1, "unknown", "unknown", " ???"},
      {255, -1, -1, -1, -1, -1, -1, "unknown", "unknown", " ???"},
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; ++i) {
    const uint8_t code = (uint8_t)expected[i].code;
    fprintf(report, "%d ", code);
    FACT(ImageStreamIO_typesize(code) == expected[i].size &&
         ImageStreamIO_checktype(code, 0) == expected[i].checks &&
         ImageStreamIO_checktype(code, 1) == expected[i].checks_complex &&
         ImageStreamIO_floattype(code) == expected[i].real &&
         !strcmp(ImageStreamIO_typename(code), expected[i].name) &&
         !strcmp(ImageStreamIO_typename_7(code), expected[i].seven) &&
         !strcmp(ImageStreamIO_typename_short(code), expected[i].four));
    // The C library knows these where it was built with cfitsio.
    if (!as_theirs) {
      FACT(ImageStreamIO_FITSIOdatatype(code) == expected[i].datatype);
      FACT(ImageStreamIO_FITSIObitpix(code) == expected[i].bitpix);
    }
  }
}

static void errors(void) {
  section("start and errors");
  FACT(init_ImageStreamIO() == IMAGESTREAMIO_SUCCESS);
  libinit_ImageStreamIO();
  FACT(internal_printError != NULL);
  FACT(ImageStreamIO_set_printError(count_error) == IMAGESTREAMIO_SUCCESS);
  FACT(internal_printError == count_error);
  ImageStreamIO_typesize(99);
  FACT(told == 1 && told_code == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_set_default_printError() == IMAGESTREAMIO_SUCCESS);
  FACT(internal_printError == ImageStreamIO_printERROR_);
  char message[] = "a message that the tests have asked for";
  FACT(ImageStreamIO_printERROR_("file", "function", 1, 2, message) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_printWARNING(message) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_set_printError(NULL) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_typesize(99) == -1);
  if (chdir(getenv("MILK_SHM_DIR")) == 0) {
    char log[100];
    snprintf(log, sizeof log, "logreport.%05d.log", getpid());
    FACT(ImageStreamIO_write_process_log(message) == 0);
    FACT(access(log, F_OK) == 0);
    unlink(log);
  }
  FACT(CLOCK_ISIO == CLOCK_TAI);
  FACT(ROUND_UP_8(1) == 8 && ROUND_UP_8(8) == 8 && ROUND_UP_8(9) == 16);
}

static void names(void) {
  section("names");
  char directory[STRINGMAXLEN_DIR_NAME];
  FACT(ImageStreamIO_shmdirname(directory) == IMAGESTREAMIO_SUCCESS);
  FACT(!strcmp(directory, getenv("MILK_SHM_DIR")));
  char path[1000];
  const size_t length = strlen(file_of("cam"));
  FACT(ImageStreamIO_filename(path, length + 1, "cam") == IMAGESTREAMIO_SUCCESS);
  FACT(!strcmp(path, file_of("cam")));
  FACT(ImageStreamIO_filename(path, length, "cam") == IMAGESTREAMIO_FAILURE);
  // What comes when MILK_SHM_DIR is not there depends on the machine.
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    setenv("MILK_SHM_DIR", "/nowhere/at/all", 1);
    const errno_t found = ImageStreamIO_shmdirname(directory);
    _exit(found == IMAGESTREAMIO_SUCCESS &&
                  (!strcmp(directory, "/milk/shm") || !strcmp(directory, "/tmp"))
              ? 0
              : 1);
  }
  FACT(wait_for(child) == 0);
}

static void buffers(void) {
  section("planes");
  uint8_t pixels[2 * 3 * 4];
  IMAGE_METADATA md;
  memset(&md, 0, sizeof md);
  IMAGE image = garbage();
  image.md = &md;
  image.array.UI8 = pixels;
  md.size[0] = 2;
  md.size[1] = 3;
  md.size[2] = 4;
  md.naxis = 2;
  md.cnt1 = 2;
  md.datatype = _DATATYPE_UINT8;
  md.location = -1;
  md.nelement = sizeof pixels;
  void* found = NULL;
  FACT(ImageStreamIO_nbSlices(&image) == 1);
  FACT(ImageStreamIO_writeIndex(&image) == 0);
  FACT(ImageStreamIO_readLastWroteIndex(&image) == 0);
  FACT(ImageStreamIO_readBufferAt(&image, 77, &found) == IMAGESTREAMIO_SUCCESS && found == pixels);
  md.naxis = 3;
  FACT(ImageStreamIO_nbSlices(&image) == 4);
  FACT(ImageStreamIO_writeIndex(&image) == 3);
  FACT(ImageStreamIO_readLastWroteIndex(&image) == 2);
  md.imagetype = CIRCULAR_BUFFER;
  FACT(ImageStreamIO_writeBuffer(&image, &found) == IMAGESTREAMIO_SUCCESS && found == pixels + 18);
  FACT(ImageStreamIO_readLastWroteBuffer(&image, &found) == IMAGESTREAMIO_SUCCESS &&
       found == pixels + 12);
  md.cnt1 = 3;
  FACT(ImageStreamIO_writeIndex(&image) == 0);
  FACT(ImageStreamIO_readBufferAt(&image, 4, &found) == IMAGESTREAMIO_FAILURE && found == NULL);
  FACT(ImageStreamIO_get_image_d_ptr(&image) == pixels);
  FACT(ImageStreamIO_offset_data(&image, pixels + 1) == sizeof pixels &&
       image.array.UI8 == pixels + 1);
  md.location = 0;
  image.array.raw = NULL;
  FACT(ImageStreamIO_get_image_d_ptr(&image) == NULL);
  FACT(ImageStreamIO_offset_data(&image, pixels) == 0 && image.array.raw == NULL);
}

static void creation(void) {
  section("creation");
  IMAGE image = garbage();
  uint32_t zero[] = {4, 0};
  FACT(ImageStreamIO_createIm(&image, "none", 0, size_2d, 9, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm(&image, "none", 4, size_3d, 9, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm(&image, "none", 2, zero, 9, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm(&image, "none", 2, size_2d, 77, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm(&image, NULL, 2, size_2d, 9, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm(&image, "", 2, size_2d, 9, 1, 5, 0) == IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm_gpu(&image, "none", 2, size_2d, 9, -2, 1, 10, 5, MATH_DATA, 0) ==
       IMAGESTREAMIO_INVALIDARG);
  FACT(ImageStreamIO_createIm_gpu(&image, "none", 2, size_2d, 9, -1, 1, 10, 5, CIRCULAR_BUFFER,
                                  0) == IMAGESTREAMIO_INVALIDARG);
  if (!as_theirs) {
    FACT(ImageStreamIO_createIm_gpu(&image, "none", 2, size_2d, 9, -1, 1, 10, 5,
                                    CIRCULAR_BUFFER | ZAXIS_TEMPORAL,
                                    0) == IMAGESTREAMIO_INVALIDARG);
  }
  FACT(ImageStreamIO_createIm(&image, "no/such/directory", 2, size_2d, 9, 1, 5, 0) ==
       IMAGESTREAMIO_FILEOPEN);
  FACT(!is_there("none"));

  const mode_t before = umask(077);
  FACT(create(&image, "made") == IMAGESTREAMIO_SUCCESS);
  struct stat status;
  FACT(stat(file_of("made"), &status) == 0 && (status.st_mode & 0777) == 0666);
  if (!as_theirs) {
    FACT(umask(before) == 077);
  }
  umask(before);
  const IMAGE_METADATA* md = image.md;
  FACT(image.used == 1 && image.createcnt == 1 && !strcmp(image.name, "made"));
  FACT(!strcmp(md->version, IMAGESTRUCT_VERSION) && !strcmp(md->name, "made"));
  FACT(image.memsize == (uint64_t)status.st_size && md->inode == status.st_ino && image.shmfd > 0);
  FACT(md->naxis == 2 && md->size[0] == 4 && md->size[1] == 3 && md->size[2] == 0);
  FACT(md->nelement == 12 && md->imdatamemsize == 48 && md->datatype == _DATATYPE_FLOAT);
  FACT(md->imagetype == MATH_DATA && md->shared == 1 && md->location == -1 && md->status == 0);
  FACT(md->sem == 10 && md->NBproctrace == 10 && md->NBkw == 5 && md->CBsize == 0);
  FACT(md->cnt0 == 0 && md->cnt1 == 0 && md->write == 0 && md->creatorPID == getpid() &&
       md->ownerPID == 0);
  struct timespec clock;
  clock_gettime(CLOCK_TAI, &clock);
  FACT(clock.tv_sec - md->creationtime.tv_sec < 60 && clock.tv_sec >= md->creationtime.tv_sec);
  FACT(image.array.UI8 == (uint8_t*)image.md + 384);
  FACT((uint8_t*)image.kw == image.array.UI8 + 48 && image.kw[0].type == 'N' &&
       image.kw[4].type == 'N');
  FACT((uint8_t*)image.semfile == (uint8_t*)(image.kw + 5) &&
       image.semptr[9] == &image.semfile[9].semdata);
  FACT((uint8_t*)image.semlog == (uint8_t*)(image.semfile + 10));
  FACT(image.semReadPID[0] == -1 && image.semWritePID[9] == -1);
  FACT(image.semctrl[0] == 0 && image.semstatus[9] == 0);
  FACT(image.streamproctrace[9].trigsemindex == -1 && image.streamproctrace[9].procwrite_PID == 0);
  FACT(image.CBimdata == NULL);
  for (int i = 0; i < 12; ++i) {
    failures += image.array.F[i] != 0;
  }
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS);
  FACT(!is_there("made") && image.used == 0 && image.md == NULL && image.array.raw == NULL);
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS);

  image = garbage();
  FACT(ImageStreamIO_createIm_gpu(&image, "cube", 3, size_3d, _DATATYPE_UINT16, -1, 1, 2, 0,
                                  CIRCULAR_BUFFER | ZAXIS_TEMPORAL, 3) == IMAGESTREAMIO_SUCCESS);
  FACT((uint8_t*)image.writetimearray == (uint8_t*)(image.atimearray + 5));
  FACT((uint8_t*)image.cntarray == (uint8_t*)(image.writetimearray + 5));
  FACT((uint8_t*)image.CircBuff_md == (uint8_t*)(image.cntarray + 5));
  FACT((uint8_t*)image.CBimdata == (uint8_t*)(image.CircBuff_md + 3));
  FACT((uint8_t*)image.CBimdata + (size_t)3 * 120 == (uint8_t*)image.md + image.memsize);
  ImageStreamIO_destroyIm(&image);

  static const char* const odd[] = {"-lead", "a b", "a@b>c[0]:d", "x.y,z", "\303\251"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; ++i) {
    FACT(create(&image, odd[i]) == IMAGESTREAMIO_SUCCESS && is_there(odd[i]));
    ImageStreamIO_destroyIm(&image);
    FACT(!is_there(odd[i]));
  }
  char long_name[101];
  memset(long_name, 'n', 100);
  long_name[100] = '\0';
  FACT(create(&image, long_name) == IMAGESTREAMIO_SUCCESS && is_there(long_name));
  FACT(strlen(image.md->name) == 79 && strlen(image.name) == 79);
  ImageStreamIO_destroyIm(&image);
  unlink(file_of(long_name));
}

static void gpu(void) {
  section("an array for a GPU, where there is no CUDA");
  IMAGE image = garbage();
  ImageStreamIO_set_printError(count_error);
  told = 0;
  FACT(ImageStreamIO_createIm_gpu(&image, "gpu", 2, size_2d, 9, 0, 1, 10, 5, MATH_DATA, 0) ==
       IMAGESTREAMIO_SUCCESS);
  FACT(told > 0 && told_code == IMAGESTREAMIO_NOTIMPL);
  FACT(is_there("gpu") && image.array.raw == NULL && image.md->location == 0);
  FACT((uint8_t*)image.kw == (uint8_t*)image.md + 384);
  IMAGE other = garbage();
  FACT(ImageStreamIO_createIm_gpu(&other, "gpu", 2, size_2d, 9, 0, 1, 10, 5, MATH_DATA, 0) ==
       IMAGESTREAMIO_FILEEXISTS);
  ImageStreamIO_set_printError(NULL);
  FACT(ImageStreamIO_openIm(&other, "gpu") == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS && !is_there("gpu"));
}

static void local(void) {
  section("images in no file");
  IMAGE image = garbage();
  FACT(ImageStreamIO_createIm_gpu(&image, "local", 2, size_2d, 9, -9, 0, -99, 5, MATH_DATA,
                                  (uint32_t)-999) == IMAGESTREAMIO_SUCCESS);
  FACT(!is_there("local") && image.used == 1 && image.memsize == 0 && image.semptr == NULL);
  FACT(image.md->shared == 0 && image.md->location == -1 && image.md->sem == 0 &&
       image.md->CBsize == 0);
  FACT(image.md->inode == 0 && image.md->nelement == 12 && image.md->NBkw == 5 &&
       image.kw[4].type == 'N');
  FACT(!strcmp(image.name, "local") && image.array.F[11] == 0);
  image.md->write = 1;
  FACT(ImageStreamIO_UpdateIm(&image) == IMAGESTREAMIO_SUCCESS);
  FACT(image.md->cnt0 == 0 && image.md->write == 1);
  FACT(ImageStreamIO_getsemwaitindex(&image, 0) == -1);
  free(image.md);
  free(image.kw);
  free(image.array.raw);

  image = garbage();
  FACT(ImageStreamIO_createIm(&image, "local", 1, size_2d, 9, 0, 0, 0) == IMAGESTREAMIO_SUCCESS);
  FACT(image.kw == NULL);
  IMAGE_METADATA* md = image.md;
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS);
  FACT(image.used == 0 && image.array.raw == NULL);
  free(md);
  if (!as_theirs) {
    FACT(ImageStreamIO_createIm(&image, "local", 1, size_2d, 9, 0, 3, 0) == IMAGESTREAMIO_SUCCESS);
    FACT(ImageStreamIO_closeIm(&image) == IMAGESTREAMIO_SUCCESS && fcntl(0, F_GETFD) >= 0);
    FACT(ImageStreamIO_sempost(&image, -1) == 0 && ImageStreamIO_semflush(&image, -1) == 0);
    free(image.md);
    free(image.kw);
    free(image.array.raw);
  }
}

static void opening(void) {
  section("opening and closing");
  IMAGE image = garbage();
  IMAGE other = garbage();
  FACT(ImageStreamIO_openIm(&other, "none") == IMAGESTREAMIO_FILEOPEN && other.used == 0);
  static char bytes[4000];
  write_file("file", bytes, 384);
  FACT(ImageStreamIO_openIm(&other, "file") == IMAGESTREAMIO_FILEOPEN);
  write_file("file", bytes, sizeof bytes);
  FACT(ImageStreamIO_openIm(&other, "file") == IMAGESTREAMIO_FILEOPEN);

  create(&image, "cam");
  const uint64_t bytes_of_cam = image.memsize;
  memcpy(bytes, image.md, bytes_of_cam);
  write_file("file", bytes, bytes_of_cam + 8);
  FACT(ImageStreamIO_openIm(&other, "file") == IMAGESTREAMIO_FILEOPEN);
  bytes[0] = '1';
  write_file("file", bytes, bytes_of_cam);
  FACT(ImageStreamIO_openIm(&other, "file") == IMAGESTREAMIO_VERSION);
  bytes[0] = '\0';
  write_file("file", bytes, bytes_of_cam);
  FACT(ImageStreamIO_openIm(&other, "file") == IMAGESTREAMIO_VERSION);
  unlink(file_of("file"));

  other = garbage();
  FACT(ImageStreamIO_openIm(&other, "cam") == IMAGESTREAMIO_SUCCESS);
  FACT(other.memsize == image.memsize && other.md != image.md &&
       other.md->inode == image.md->inode);
  FACT(other.shmfd != image.shmfd && !strcmp(other.name, "cam"));
  image.array.F[7] = 7;
  FACT(other.array.F[7] == 7);
  FACT(other.semptr[3] == &other.semfile[3].semdata);
  ImageStreamIO_sempost(&image, 3);
  FACT(ImageStreamIO_semvalue(&other, 3) == 1);
  if (!as_theirs) {
    FACT(other.used == 1 && other.flagarray == NULL && other.cntarray == NULL);
  }
  FACT(ImageStreamIO_closeIm(&other) == IMAGESTREAMIO_SUCCESS && is_there("cam"));
  if (!as_theirs) {
    FACT(other.used == 0 && other.md == NULL && other.array.raw == NULL && other.semptr == NULL);
    FACT(other.kw == NULL && other.semlog == NULL && other.memsize == 0 &&
         !strcmp(other.name, "cam"));
    FACT(ImageStreamIO_closeIm(&other) == IMAGESTREAMIO_SUCCESS);
    FACT(ImageStreamIO_destroyIm(&other) == IMAGESTREAMIO_SUCCESS && is_there("cam"));
  }

  FACT(symlink("cam.im.shm", file_of("alias")) == 0);
  FACT(ImageStreamIO_read_sharedmem_image_toIMAGE("alias", &other) == IMAGESTREAMIO_SUCCESS);
  FACT(!strcmp(other.name, "alias") && !strcmp(other.md->name, "cam"));
  FACT(ImageStreamIO_check_image_inode(&other) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_closeIm(&other) == IMAGESTREAMIO_SUCCESS);
  unlink(file_of("alias"));

  // Destruction by somebody who does not use it, and of a file that is another's by now.
  image.used = 0;
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS && is_there("cam") &&
       image.md != NULL);
  image.used = 1;
  other = garbage();
  create(&other, "cam");
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS);
  if (!as_theirs) {
    FACT(is_there("cam"));
    FACT(ImageStreamIO_check_image_inode(&other) == IMAGESTREAMIO_SUCCESS);
  }
  ImageStreamIO_destroyIm(&other);
  FACT(!is_there("cam"));
}

static void inodes(void) {
  section("re-creation");
  IMAGE old = garbage();
  IMAGE new = garbage();
  create(&old, "cam");
  FACT(ImageStreamIO_check_image_inode(&old) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_check_image_endpoint_inode(&old) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_autorelink_if_need_if_can(&old) == IMAGESTREAMIO_SUCCESS);
  create(&new, "cam");
  FACT(ImageStreamIO_check_image_inode(&old) == IMAGESTREAMIO_INODE);
  FACT(ImageStreamIO_check_image_endpoint_inode(&old) == IMAGESTREAMIO_INODE);
  int posts = 0;
  for (int i = 0; i < 10; ++i) {
    posts += (int)ImageStreamIO_semvalue(&old, i);
  }
  FACT(posts == 0);
  FACT(ImageStreamIO_new_image_compatible(&old, &new) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_autorelink_if_need_if_can(&old) == IMAGESTREAMIO_SUCCESS);
  FACT(old.md->inode == new.md->inode);
  FACT(ImageStreamIO_check_image_inode(&old) == IMAGESTREAMIO_SUCCESS);
  const ino_t inode = new.md->inode;
  new.md->inode = 1;
  FACT(ImageStreamIO_store_image_inode(&new) == IMAGESTREAMIO_SUCCESS && new.md->inode == inode);
  ImageStreamIO_closeIm(&new);

  new = garbage();
  ImageStreamIO_createIm(&new, "cam", 2, size_2d, _DATATYPE_DOUBLE, 1, 5, 0);
  FACT(ImageStreamIO_new_image_compatible(&old, &new) == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_autorelink_if_need_if_can(&old) == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_destroyIm(&new) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_check_image_inode(&old) == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_check_image_endpoint_inode(&old) == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_autorelink_if_need_if_can(&old) == IMAGESTREAMIO_FAILURE);
  FACT(ImageStreamIO_closeIm(&old) == IMAGESTREAMIO_SUCCESS);

  // Whoever waits on a stream that is replaced is woken for no frame: he finds out when his time is
  // up.
  create(&old, "cam");
  int ready[2];
  FACT(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    IMAGE image = garbage();
    if (ImageStreamIO_openIm(&image, "cam") != IMAGESTREAMIO_SUCCESS ||
        write(ready[1], "", 1) != 1) {
      _exit(1);
    }
    const struct timespec limit = in_milliseconds(400);
    if (ImageStreamIO_semtimedwait(&image, 0, &limit) != -1 || errno != ETIMEDOUT) {
      _exit(2);
    }
    _exit(ImageStreamIO_check_image_inode(&image) == IMAGESTREAMIO_INODE ? 0 : 3);
  }
  char byte;
  FACT(read(ready[0], &byte, 1) == 1);
  usleep(50000);
  new = garbage();
  FACT(create(&new, "cam") == IMAGESTREAMIO_SUCCESS);
  FACT(wait_for(child) == 0);
  close(ready[0]);
  close(ready[1]);
  ImageStreamIO_closeIm(&old);
  ImageStreamIO_destroyIm(&new);
}

// Creators race for a name that a reader looks at: at every moment there is one whole stream.
static void creators(void) {
  section("two creators at once");
  IMAGE image = garbage();
  create(&image, "race");
  ImageStreamIO_closeIm(&image);
  pid_t children[2];
  for (int i = 0; i < 2; ++i) {
    children[i] = fork();
    if (children[i] == 0) {
      for (int round = 0; round < 300; ++round) {
        IMAGE mine = garbage();
        if (create(&mine, "race") != IMAGESTREAMIO_SUCCESS || mine.array.F[11] != 0) {
          _exit(1);
        }
        ImageStreamIO_closeIm(&mine);
      }
      _exit(0);
    }
  }
  int missing = 0;
  int status = 0;
  int opened = 0;
  while (waitpid(children[0], &status, WNOHANG) == 0) {
    IMAGE found = garbage();
    if (ImageStreamIO_openIm(&found, "race") == IMAGESTREAMIO_SUCCESS) {
      ++opened;
      ImageStreamIO_closeIm(&found);
    } else {
      ++missing;
    }
  }
  FACT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  FACT(wait_for(children[1]) == 0);
  FACT(opened > 0 && missing == 0);
  ImageStreamIO_openIm(&image, "race");
  image.used = 1;
  FACT(ImageStreamIO_destroyIm(&image) == IMAGESTREAMIO_SUCCESS && !is_there("race"));
}

static void updates(void) {
  section("frames");
  IMAGE image = garbage();
  ImageStreamIO_createIm(&image, "cam", 2, size_2d, _DATATYPE_FLOAT, 1, 0, 3);
  for (int frame = 1; frame <= 4; ++frame) {
    SHMIM_WRITE_ACQUIRE(image.md);
    FACT(SHMIM_WRITE_LOAD(image.md) == 1);
    image.array.F[0] = (float)frame;
    image.md->cnt1 = (uint64_t)(10 + frame);
    FACT(ImageStreamIO_UpdateIm(&image) == IMAGESTREAMIO_SUCCESS);
    FACT(image.md->write == 0 && SHMIM_CNT0_LOAD(image.md) == (uint64_t)frame);
    FACT(image.md->CBindex == (uint32_t)frame % 3 && image.md->CBcycle == (uint64_t)frame / 3);
    FACT(((float*)image.CBimdata)[12 * (frame % 3)] == (float)frame);
    if (!as_theirs) {
      const CBFRAMEMD* slot = &image.CircBuff_md[frame % 3];
      FACT(slot->cnt0 == (uint64_t)frame && slot->cnt1 == image.md->cnt1);
      FACT(slot->writetime.tv_nsec == image.md->writetime.tv_nsec && slot->atime.tv_sec > 0);
    }
    FACT(ImageStreamIO_semvalue(&image, 0) == frame && ImageStreamIO_semvalue(&image, 9) == frame);
    int log = 0;
    sem_getvalue(image.semlog, &log);
    FACT(log == frame);
    FACT(image.semWritePID[0] == getpid());
  }
  struct timespec clock;
  clock_gettime(CLOCK_TAI, &clock);
  FACT(clock.tv_sec - image.md->writetime.tv_sec < 60 &&
       clock.tv_sec >= image.md->writetime.tv_sec);
  FACT(image.md->atime.tv_sec == image.md->writetime.tv_sec &&
       image.md->atime.tv_nsec == image.md->writetime.tv_nsec);
  struct timespec atime = {1000000000, 5};
  FACT(ImageStreamIO_UpdateIm_atime(&image, &atime) == IMAGESTREAMIO_SUCCESS);
  FACT(image.md->atime.tv_sec == 1000000000 && image.md->atime.tv_nsec == 5);
  FACT(image.md->writetime.tv_sec > 1000000000 && image.md->cnt0 == 5);
  FACT(SHMIM_CNT0_INCREMENT(image.md) == 5 && image.md->cnt0 == 6);
  SHMIM_WRITE_RELEASE(image.md);
  ImageStreamIO_destroyIm(&image);
}

static int said_on_stdout(int (*what)(IMAGE*, int), IMAGE* image, int index, int expected) {
  fflush(stdout);
  FILE* file = tmpfile();
  const int before = dup(1);
  dup2(fileno(file), 1);
  const int got = what(image, index);
  fflush(stdout);
  dup2(before, 1);
  close(before);
  char line[200] = "";
  rewind(file);
  const int is_line = fgets(line, sizeof line, file) != NULL && strchr(line, '\n') != NULL;
  fclose(file);
  return got == expected && is_line;
}
static int timed_wait(IMAGE* image, int index) {
  const struct timespec limit = in_milliseconds(0);
  return ImageStreamIO_semtimedwait(image, index, &limit);
}
static int post(IMAGE* image, int index) { return (int)ImageStreamIO_sempost(image, index); }
static int value(IMAGE* image, int index) { return (int)ImageStreamIO_semvalue(image, index); }
static int flush(IMAGE* image, int index) { return (int)ImageStreamIO_semflush(image, index); }

static IMAGE shared_image;
static void* wait_and_look(void* unused) {
  (void)unused;
  long log_was_late = 0;
  for (int i = 0; i < 300; ++i) {
    ImageStreamIO_semwait(&shared_image, 0);
    int log = 0;
    sem_getvalue(shared_image.semlog, &log);
    log_was_late += log == 0;
    sem_trywait(shared_image.semlog);
    ImageStreamIO_sempost_excl(&shared_image, 0);
    while (sem_trywait(shared_image.semlog) == 0) {
    }
    SHMIM_CNT0_INCREMENT(shared_image.md);
  }
  return (void*)log_was_late;
}

static void semaphores(void) {
  section("semaphores");
  IMAGE image = garbage();
  create(&image, "cam");
  FACT(ImageStreamIO_semtrywait(&image, 2) == -1 && errno == EAGAIN);
  const double begin = now();
  const struct timespec limit = in_milliseconds(30);
  FACT(ImageStreamIO_semtimedwait(&image, 2, &limit) == -1 && errno == ETIMEDOUT &&
       now() - begin > 0.02);
  FACT(ImageStreamIO_sempost(&image, 2) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_semvalue(&image, 2) == 1 && ImageStreamIO_semvalue(&image, 3) == 0);
  int log = 0;
  sem_getvalue(image.semlog, &log);
  FACT(log == 1 && image.semWritePID[2] == getpid() && image.semWritePID[3] == -1);
  FACT(ImageStreamIO_semwait(&image, 2) == 0 && ImageStreamIO_semvalue(&image, 2) == 0);
  FACT(ImageStreamIO_sempost(&image, -1) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_semtrywait(&image, 0) == 0 && ImageStreamIO_semvalue(&image, 9) == 1);
  sem_getvalue(image.semlog, &log);
  FACT(log == 2);
  FACT(ImageStreamIO_sempost_excl(&image, 4) == IMAGESTREAMIO_SUCCESS);
  FACT(ImageStreamIO_semvalue(&image, 4) == 1 && ImageStreamIO_semvalue(&image, 5) == 2);
  FACT(timed_wait(&image, 5) == 0);
  for (int i = 0; i < 20; ++i) {
    ImageStreamIO_sempost(&image, 6);
  }
  FACT(ImageStreamIO_semvalue(&image, 6) == SEMAPHORE_MAXVAL);
  sem_getvalue(image.semlog, &log);
  FACT(log == SEMAPHORE_MAXVAL);
  FACT(ImageStreamIO_semflush(&image, 6) == IMAGESTREAMIO_SUCCESS &&
       ImageStreamIO_semvalue(&image, 6) == 0);
  FACT(ImageStreamIO_semvalue(&image, 7) == 2);
  FACT(ImageStreamIO_semflush(&image, -1) == IMAGESTREAMIO_SUCCESS &&
       ImageStreamIO_semvalue(&image, 7) == 0);

  FACT(said_on_stdout(ImageStreamIO_semwait, &image, 10, 1));
  FACT(said_on_stdout(ImageStreamIO_semwait, &image, -1, 1));
  FACT(said_on_stdout(ImageStreamIO_semtrywait, &image, 10, 1));
  FACT(said_on_stdout(timed_wait, &image, -1, 1));
  FACT(said_on_stdout(post, &image, 10, 0));
  FACT(said_on_stdout(flush, &image, 10, 0));
  FACT(said_on_stdout(value, &image, 10, -1));
  FACT(said_on_stdout(value, &image, -1, -1));

  const pid_t child = fork();
  if (child == 0) {
    fclose(stdout);
    ImageStreamIO_sempost_loop(&image, 1, 1000);
    _exit(1);
  }
  for (int i = 0; i < 5; ++i) {
    const struct timespec patience = in_milliseconds(5000);
    FACT(ImageStreamIO_semtimedwait(&image, 1, &patience) == 0);
  }
  kill(child, SIGKILL);
  FACT(wait_for(child) == 256 + SIGKILL && image.semWritePID[1] == child);

  if (!as_theirs) {
    ImageStreamIO_semflush(&image, -1);
    while (sem_trywait(image.semlog) == 0) {
    }
    shared_image = image;
    pthread_t thread;
    pthread_create(&thread, NULL, wait_and_look, NULL);
    for (uint64_t i = 0; i < 300; ++i) {
      ImageStreamIO_sempost(&image, 0);
      while (SHMIM_CNT0_LOAD(image.md) == i) {
        usleep(10);
      }
    }
    void* log_was_late = NULL;
    pthread_join(thread, &log_was_late);
    FACT(log_was_late == NULL);
  }
  ImageStreamIO_destroyIm(&image);
}

static void* claim_in_thread(void* wish) {
  return (void*)(long)ImageStreamIO_getsemwaitindex(&shared_image, (int)(long)wish);
}

static void claims(void) {
  section("claims");
  IMAGE image = garbage();
  create(&image, "cam");
  // The PID of a free one is 0; -1, with which it is made, is nobody's either.
  FACT(ImageStreamIO_getsemwaitindex(&image, 4) == 4 && image.semReadPID[4] == getpid());
  FACT(ImageStreamIO_getsemwaitindex(&image, 7) == 4);
  IMAGE other = garbage();
  ImageStreamIO_openIm(&other, "cam");
  FACT(ImageStreamIO_getsemwaitindex(&other, 2) == 4);
  shared_image = other;
  pthread_t thread;
  void* claimed = NULL;
  pthread_create(&thread, NULL, claim_in_thread, (void*)1L);
  pthread_join(thread, &claimed);
  FACT((long)claimed == 4);

  const pid_t child = fork();
  if (child == 0) {
    const int taken = ImageStreamIO_getsemwaitindex(&other, 4);
    _exit(taken == 0 && other.semReadPID[0] == getpid() && other.semReadPID[4] == getppid() ? 0
                                                                                            : 1);
  }
  FACT(wait_for(child) == 0 && image.semReadPID[0] == child);
  image.semReadPID[4] = 0;
  FACT(ImageStreamIO_getsemwaitindex(&image, 0) == 0);
  image.semReadPID[0] = 0;
  FACT(ImageStreamIO_getsemwaitindex(&image, -1) == 0);
  image.semReadPID[0] = 0;
  FACT(ImageStreamIO_getsemwaitindex(&image, 99) == 0);
  image.semReadPID[0] = 0;

  // All are somebody's who lives: our parent does, and may have the file for all that we know.
  const pid_t rival = fork();
  if (rival == 0) {
    pause();
    _exit(0);
  }
  for (int i = 0; i < 10; ++i) {
    image.semReadPID[i] = rival;
  }
  FACT(ImageStreamIO_getsemwaitindex(&image, 3) == -1);
  image.semReadPID[8] = 0;
  FACT(ImageStreamIO_getsemwaitindex(&image, 3) == 8);
  image.semReadPID[8] = rival;
  kill(rival, SIGKILL);
  wait_for(rival);
  FACT(ImageStreamIO_getsemwaitindex(&image, 3) == 3);

  if (!as_theirs) {
    // Many at once: one for each process, and one for all threads of one.
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 10; ++i) {
        image.semReadPID[i] = 0;
      }
      pid_t children[10];
      int go[2];
      int done[2];
      failures += pipe(go) != 0 || pipe(done) != 0;
      for (int i = 0; i < 10; ++i) {
        children[i] = fork();
        if (children[i] == 0) {
          char byte;
          close(go[1]);
          failures += read(go[0], &byte, 1) != 0;
          const int mine = ImageStreamIO_getsemwaitindex(&image, 5);
          byte = (char)mine;
          failures += write(done[1], &byte, 1) != 1;
          pause();
        }
      }
      close(go[0]);
      close(go[1]);
      int taken = 0;
      for (int i = 0; i < 10; ++i) {
        char byte = -1;
        failures += read(done[0], &byte, 1) != 1;
        taken |= byte < 0 ? 0 : 1 << byte;
      }
      for (int i = 0; i < 10; ++i) {
        kill(children[i], SIGKILL);
        wait_for(children[i]);
      }
      close(done[0]);
      close(done[1]);
      FACT(taken == 0x3FF);
    }
    for (int round = 0; round < 100; ++round) {
      for (int i = 0; i < 10; ++i) {
        image.semReadPID[i] = 0;
      }
      pthread_t threads[4];
      void* index[4];
      for (long i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, claim_in_thread, (void*)(2 * i));
      }
      for (int i = 0; i < 4; ++i) {
        pthread_join(threads[i], &index[i]);
      }
      const int is_one = index[0] == index[1] && index[1] == index[2] && index[2] == index[3];
      if (!is_one || round == 99) {
        FACT(is_one);
      }
    }
  }
  ImageStreamIO_closeIm(&other);
  ImageStreamIO_destroyIm(&image);
}

static void private_functions(void) {
  section("what no header declares");
  IMAGE image = garbage();
  create(&image, "cam");
  IMAGE again = garbage();
  again.md = image.md;
  again.shmfd = image.shmfd;
  FACT(ImageStreamIO_image_sizing(&again, (uint8_t*)image.md) == IMAGESTREAMIO_SUCCESS);
  FACT(again.array.raw == image.array.raw && again.kw == image.kw &&
       again.memsize == image.memsize);
  FACT(again.semlog == image.semlog && again.semstatus == image.semstatus &&
       !strcmp(again.name, "cam"));
  FACT(ImageStreamIO_image_sizing(NULL, NULL) == IMAGESTREAMIO_INVALIDARG);
  again.md = NULL;
  FACT(ImageStreamIO_image_sizing(&again, NULL) == IMAGESTREAMIO_INVALIDARG);
  if (!as_theirs) {
    FACT(ImageStreamIO_image_sizing_from_scratch(&again, "x", 2, size_2d, 9, -1, 1, 10, 5, 2, 0,
                                                 NULL) == IMAGESTREAMIO_NOTIMPL);
    FACT(ImageStreamIO_initialize_buffer(&image) == 0);
  }
  ImageStreamIO_destroyIm(&image);
}

int main(int argc, char** argv) {
  as_theirs = argc > 1 && !strcmp(argv[1], "--as-theirs");
  if (getenv("MILK_SHM_DIR") == NULL) {
    fprintf(stderr, "imagestreamio_conformance: MILK_SHM_DIR is not set\n");
    return 2;
  }
  report = fdopen(dup(1), "w");
  errors();
  types();
  names();
  buffers();
  creation();
  gpu();
  local();
  opening();
  inodes();
  if (!as_theirs) {
    creators();
  }
  updates();
  semaphores();
  claims();
  private_functions();
  fprintf(report, "%d facts, %d failed\n", facts, failures);
  return failures == 0 ? 0 : 1;
}
