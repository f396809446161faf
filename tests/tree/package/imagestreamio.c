// A program that uses what the headers of ImageStreamIO define themselves, compiled as C and as
// C++.

#include FIRST

#include <ImageStreamIO/ImageStreamIO.h>

#define TEXT_OF(macro) #macro
#define TEXT(macro) TEXT_OF(macro)

int main(void) {
  IMAGE_METADATA md;
  IMAGE image;
  uint8_t pixels[4] = {0, 0, 0, 0};
  void* found = NULL;
  image.md = &md;
  image.array.UI8 = pixels;
  md.naxis = 3;
  md.size[0] = md.size[1] = 1;
  md.size[2] = 4;
  md.imagetype = CIRCULAR_BUFFER;
  md.datatype = _DATATYPE_UINT8;
  md.cnt0 = 4;
  md.cnt1 = 1;
  SHMIM_WRITE_ACQUIRE(&md);
  if (SHMIM_WRITE_LOAD(&md) != 1 || ImageStreamIO_nbSlices(&image) != 4 ||
      ImageStreamIO_writeBuffer(&image, &found) != IMAGESTREAMIO_SUCCESS || found != pixels + 2 ||
      ImageStreamIO_readLastWroteBuffer(&image, &found) != IMAGESTREAMIO_SUCCESS ||
      found != pixels + 1) {
    return 1;
  }
  SHMIM_CNT0_INCREMENT(&md);
  SHMIM_WRITE_RELEASE(&md);
  // Which clock it is does not depend on what came first. In strict C99 there is its name alone.
  static const char clock[] = TEXT(CLOCK_ISIO);
  const int is_tai =
      sizeof clock == sizeof "11" ? clock[0] == '1' && clock[1] == '1' : clock[6] == 'T';
  return SHMIM_CNT0_LOAD(&md) == 5 && SHMIM_WRITE_LOAD(&md) == 0 && is_tai ? 0 : 2;
}
