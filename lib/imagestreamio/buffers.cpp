// Where the pixels are, and how a frame of them is shown.

#include <cstring>

#include "base/copy.hpp"
#include "imagestreamio/image.hpp"
#include "parts/circular_buffer_writer.hpp"
#include "shmim/clock.hpp"

using namespace shmim;
using namespace shmim::imagestreamio;

namespace {

layout::Timespec timespec_of(const timespec& time) noexcept { return {time.tv_sec, time.tv_nsec}; }

/// Under the flag, which the caller has raised before he wrote the pixels; or should have.
void show_frame(const IMAGE& image, const timespec* atime) noexcept {
  layout::Metadata& header = header_of(image);
  const layout::Timespec written = to_timespec(TaiClock::now());
  const layout::Timespec acquired = atime == nullptr ? written : timespec_of(*atime);
  const FrameInfo info{layout::load(header.cnt0) + 1, layout::load(header.cnt1), to_tai(acquired),
                       to_tai(written)};
  layout::store(header.atime, acquired);
  layout::store(header.writetime, written);
  if (image.CBimdata != nullptr && pixels_of(image) != nullptr) {
    const std::size_t bytes = image.md->imdatamemsize;
    const std::size_t slots = image.md->CBsize;
    const CircularBufferWriter buffer(
        header, {reinterpret_cast<layout::CircularBufferSlot*>(image.CircBuff_md), slots},
        {static_cast<std::byte*>(image.CBimdata), bytes * slots}, bytes);
    copy_frame(buffer.begin_frame().data(), static_cast<const std::byte*>(pixels_of(image)), bytes);
    buffer.push(info);
    buffer.number(info.cnt0);
  }
  layout::count_frame(header);
  layout::end_writing(header);
  post(image, [](unsigned) { return true; });
}

}  // namespace

errno_t ImageStreamIO_readBufferAt(const IMAGE* image, const unsigned int slice_index,
                                   void** buffer) {
  const IMAGE_METADATA& md = *image->md;
  if (!layout::is_plane_ring(md.imagetype)) {
    *buffer = pixels_of(*image);
    return IMAGESTREAMIO_SUCCESS;
  }
  if (slice_index >= md.size[2]) {
    *buffer = nullptr;
    return IMAGESTREAMIO_FAILURE;
  }
  const std::size_t plane =
      element_size(static_cast<DataType>(md.datatype)) * md.size[0] * md.size[1];
  *buffer = static_cast<std::byte*>(pixels_of(*image)) + slice_index * plane;
  return IMAGESTREAMIO_SUCCESS;
}

void* ImageStreamIO_get_image_d_ptr(IMAGE* image) {
  if (pixels_of(*image) == nullptr) {
    report(IMAGESTREAMIO_NOTIMPL, "the array is not in this process, and there is no CUDA here");
  }
  return pixels_of(*image);
}

uint64_t ImageStreamIO_offset_data(IMAGE* image, void* map) {
  if (image->md->location >= 0) {
    set_pixels(*image, ImageStreamIO_get_image_d_ptr(image));
    return 0;
  }
  set_pixels(*image, map);
  return element_size(static_cast<DataType>(image->md->datatype)) * image->md->nelement;
}

long ImageStreamIO_UpdateIm_atime(IMAGE* image, struct timespec* atime) {
  if (is_shared(*image)) {
    show_frame(*image, atime);
  }
  return IMAGESTREAMIO_SUCCESS;
}

long ImageStreamIO_UpdateIm(IMAGE* image) { return ImageStreamIO_UpdateIm_atime(image, nullptr); }
