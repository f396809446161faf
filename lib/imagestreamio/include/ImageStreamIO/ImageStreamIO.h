/* The functions of ImageStreamIO. Those that return errno_t or long give IMAGESTREAMIO_SUCCESS, or
 * what ImageStreamIOError.h lists; each failure is told to the function that set_printError() was
 * given. */

#ifndef _IMAGESTREAMIO_H
#define _IMAGESTREAMIO_H

/* First, and with it <time.h>: the clock is the same whatever was included before. */
#include "ImageStruct.h"

#define CLOCK_ISIO CLOCK_TAI /* of every stamp in a stream */

#define ROUND_UP_8(x) (((x) + 7) / 8 * 8)

#ifdef __cplusplus
extern "C" {
#endif

void libinit_ImageStreamIO(void);
errno_t init_ImageStreamIO(void);

/* Who is told of failures: file, function, line, code, message. At first what writes to standard
 * error; NULL for nobody. */
errno_t ImageStreamIO_set_printError(errno_t (*new_print_error)(const char*, const char*, int,
                                                                errno_t, char*));
errno_t ImageStreamIO_set_default_printError(void);

/* The file of a stream, in the directory that was found at first: MILK_SHM_DIR, /milk/shm, /tmp.
 * FAILURE where it does not fit `ssz` bytes with its NUL. */
errno_t ImageStreamIO_filename(char* file_name, size_t ssz, const char* im_name);

/* Of a code that is none: -1, or "unknown" and " ???". */
int ImageStreamIO_typesize(uint8_t atype);
const char* ImageStreamIO_typename(uint8_t datatype);
const char* ImageStreamIO_typename_short(uint8_t datatype);
const char* ImageStreamIO_typename_7(uint8_t datatype);
int ImageStreamIO_checktype(uint8_t datatype, int complex_allowed);
int ImageStreamIO_floattype(uint8_t datatype);
int ImageStreamIO_FITSIObitpix(uint8_t atype);
int ImageStreamIO_FITSIOdatatype(uint8_t datatype);

/* The plane of an image whose planes are frames, else its array. FAILURE and NULL past the last
 * plane. */
errno_t ImageStreamIO_readBufferAt(const IMAGE* image, const unsigned int slice_index,
                                   void** buffer);

static inline uint64_t ImageStreamIO_nbSlices(const IMAGE* image) {
  return image->md->naxis == 3 ? image->md->size[2] : 1;
}

/* The plane to write next. */
static inline uint64_t ImageStreamIO_writeIndex(const IMAGE* image) {
  return (image->md->cnt1 + 1) % ImageStreamIO_nbSlices(image);
}

/* The plane written last. */
static inline uint64_t ImageStreamIO_readLastWroteIndex(const IMAGE* image) {
  return image->md->naxis == 3 ? image->md->cnt1 : 0;
}

static inline errno_t ImageStreamIO_writeBuffer(const IMAGE* image, void** buffer) {
  return ImageStreamIO_readBufferAt(image, (unsigned int)ImageStreamIO_writeIndex(image), buffer);
}

static inline errno_t ImageStreamIO_readLastWroteBuffer(const IMAGE* image, void** buffer) {
  return ImageStreamIO_readBufferAt(image, (unsigned int)ImageStreamIO_readLastWroteIndex(image),
                                    buffer);
}

/* Makes an image in `image`, whatever is in it. A shared one (shared == 1) appears in one step and
 * whole, in the place of what has its name, with mode 0666 and nobody woken. The array of one with
 * location >= 0 is left to CUDA, which is not here: NULL, and FILEEXISTS where there is one. Of a
 * local one location, nb_sem and cb_size do not matter, and its three pointers are the caller's to
 * free(). */
errno_t ImageStreamIO_createIm(IMAGE* image, const char* name, long naxis, uint32_t* size,
                               uint8_t atype, int shared, int nb_kw, int cb_size);
errno_t ImageStreamIO_createIm_gpu(IMAGE* image, const char* name, long naxis, uint32_t* size,
                                   uint8_t atype, int8_t location, int shared, int nb_sem,
                                   int nb_kw, uint64_t imagetype, uint32_t cb_size);
/* Closes an image that is used and removes its file, unless that is another by now. */
errno_t ImageStreamIO_destroyIm(IMAGE* image);

errno_t ImageStreamIO_openIm(IMAGE* image, const char* name);
errno_t ImageStreamIO_read_sharedmem_image_toIMAGE(const char* name, IMAGE* image);
/* Gives back what openIm() took, and clears what pointed there: once more does nothing. */
errno_t ImageStreamIO_closeIm(IMAGE* image);
/* The array, or NULL if it is in the memory of a GPU. */
void* ImageStreamIO_get_image_d_ptr(IMAGE* image);

/* Is the file of this image still the one with its name? SUCCESS; INODE: another is; FAILURE: none
 * is. */
errno_t ImageStreamIO_check_image_inode(IMAGE* image);
errno_t ImageStreamIO_check_image_endpoint_inode(IMAGE* image);
/* Opens the other, where it is compatible, in the place of this. */
errno_t ImageStreamIO_autorelink_if_need_if_can(IMAGE* image);
errno_t ImageStreamIO_new_image_compatible(IMAGE* source_image, IMAGE* new_image);

/* Posts the log semaphore and then this one, or all where index < 0. */
long ImageStreamIO_sempost(IMAGE* image, long index);
/* All but this one. */
long ImageStreamIO_sempost_excl(IMAGE* image, long index);
/* Again and again, every `dtus` microseconds: does not return. */
long ImageStreamIO_sempost_loop(IMAGE* image, long index, long dtus);
/* Claims a semaphore to wait on: the one that this process has claimed already, else that one if it
 * may, else any; -1: none is free. */
int ImageStreamIO_getsemwaitindex(IMAGE* image, int semindexdefault);
/* As sem_wait() and its like; 1 where there is no such semaphore. The time is of CLOCK_REALTIME. */
int ImageStreamIO_semwait(IMAGE* image, int index);
int ImageStreamIO_semtrywait(IMAGE* image, int index);
int ImageStreamIO_semtimedwait(IMAGE* image, int index, const struct timespec* semwts);
/* Takes every post of this one, or of all where index < 0. */
long ImageStreamIO_semflush(IMAGE* image, long index);
/* -1 where there is no such semaphore. */
long ImageStreamIO_semvalue(IMAGE* image, long index);

/* Shows the frame that is in the array: circular buffer, times, count, flag, posts. `atime` is the
 * time of writing where it is NULL. Does nothing to a local image. */
long ImageStreamIO_UpdateIm_atime(IMAGE* image, struct timespec* atime);
long ImageStreamIO_UpdateIm(IMAGE* image);

#ifdef __cplusplus
}
#endif

#endif
