/* What the functions return. */

#ifndef IMAGESTREAMIO_ERROR_H
#define IMAGESTREAMIO_ERROR_H

#ifndef IMAGESTREAMIO_SUCCESS
#define IMAGESTREAMIO_SUCCESS (0)
#define IMAGESTREAMIO_FAILURE (1)     /* none of those below */
#define IMAGESTREAMIO_INVALIDARG (10) /* an argument that cannot be meant */
#define IMAGESTREAMIO_NOTIMPL (20)    /* not to be had here */
#define IMAGESTREAMIO_BADALLOC (30)   /* no memory */
#define IMAGESTREAMIO_FILEOPEN (40)   /* no such stream, or a file that is none */
#define IMAGESTREAMIO_FILESEEK (42)   /* kept for its name */
#define IMAGESTREAMIO_FILEWRITE (44)  /* the file system is full */
#define IMAGESTREAMIO_FILEEXISTS (46) /* there is one, and it is not to be replaced */
#define IMAGESTREAMIO_INODE (48)      /* the name leads to another file by now */
#define IMAGESTREAMIO_MMAP (50)       /* cannot be mapped, or unmapped */
#define IMAGESTREAMIO_SEMINIT (60)    /* kept for its name */
#define IMAGESTREAMIO_VERSION (100)   /* a stream of another version, or half made */
#endif

#ifndef __STDC_LIB_EXT1__
typedef int errno_t;
#endif

#endif
