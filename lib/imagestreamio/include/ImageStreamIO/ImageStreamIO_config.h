/* Which ImageStreamIO this stands in for: the version of the structures, MAJOR.MINOR, is in every
 * file. */

#ifndef _IMAGESTREAMIO_CONFIG_H
#define _IMAGESTREAMIO_CONFIG_H

#define IMAGESTREAMIO_PROJECT_NAME "ImageStreamIO"
#define IMAGESTREAMIO_VERSION_MAJOR 2
#define IMAGESTREAMIO_VERSION_MINOR 00
#define IMAGESTREAMIO_VERSION_PATCH 0
#define IMAGESTREAMIO_VERSION_OPTION "shmim"
#define IMAGESTRUCT_VERSION "2.00"

#endif
