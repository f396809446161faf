// Images that are made, and what is made taken away.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "imagestreamio/image.hpp"
#include "shmim/process.hpp"
#include "shmim/stream.hpp"

namespace shmim::imagestreamio {
namespace {

constexpr mode_t everybody = 0666;

/// Throws Error (usage) for what no image can be. What the C library's arguments have too many bits
/// for is cut as it cuts it.
Format format_of(long naxis, const std::uint32_t* size, std::uint8_t datatype, int keywords,
                 std::uint64_t imagetype) {
  if (naxis < 1 || naxis > static_cast<long>(layout::max_axes)) {
    throw Error(Problem::usage, "", fmt::format("{} axes: an image has one to three", naxis));
  }
  Format format;
  format.type = static_cast<DataType>(datatype);
  if (element_size(format.type) == 0) {
    throw Error(Problem::usage, "", fmt::format("there is no data type {}", datatype));
  }
  format.shape = Shape(std::span(size, static_cast<std::size_t>(naxis)));
  format.keywords = static_cast<std::uint16_t>(keywords);
  format.trace_entries = IMAGE_NB_PROCTRACE;
  format.image_type = imagetype;
  const bool is_ring = (imagetype & (layout::image_z_mask | 0xF)) == layout::image_circular ||
                       layout::has_slice_arrays(imagetype);
  if (is_ring && format.shape.axes() != layout::max_axes) {
    throw Error(Problem::usage, "", "an image whose planes are frames has three axes");
  }
  return format;
}

errno_t create_shared(IMAGE& image, const std::string& name, const Format& format) {
  const std::filesystem::path path = path_of(name);
  // The header has room for less of a name than the file has.
  const std::string in_header = name.substr(0, layout::name_bytes - 1);
  const bool is_on_gpu = format.location >= 0;
  const Stream draft = is_on_gpu
                           ? Stream::draft_on_gpu(path.parent_path(), in_header, format, everybody)
                           : Stream::draft(path.parent_path(), in_header, format, everybody);
  Segment segment = draft.duplicate_segment();
  if (!segment.publish(path)) {
    if (is_on_gpu) {
      return report(IMAGESTREAMIO_FILEEXISTS, name + ": is there already");
    }
    // Of the segment, and not of the stream: those who wait for a frame of the old one are not to
    // be woken for less.
    static_cast<void>(segment.publish_over(path));
  }
  take_over(image, std::move(segment), in_header);
  if (is_on_gpu) {
    report(IMAGESTREAMIO_NOTIMPL, name + ": there is no CUDA here to make its array");
  }
  return IMAGESTREAMIO_SUCCESS;
}

errno_t create_local(IMAGE& image, const std::string& name, const Format& format) {
  const layout::Geometry geometry = geometry_of(format);
  static_cast<void>(format.file_bytes());  // throws where it is more than can be addressed
  auto* md = allocate<IMAGE_METADATA>(1);
  auto* keywords = format.keywords == 0 ? nullptr : allocate<IMAGE_KEYWORD>(format.keywords);
  auto* array = allocate<std::byte>(format.bytes());
  if (md == nullptr || array == nullptr || (keywords == nullptr && format.keywords > 0)) {
    deallocate(md);
    deallocate(keywords);
    deallocate(array);
    throw std::bad_alloc();
  }
  std::copy(layout::version.begin(), layout::version.end(), md->version);
  copy_name(md->name, name);
  md->naxis = geometry.naxis;
  std::copy(geometry.size.begin(), geometry.size.end(), md->size);
  md->nelement = format.shape.elements();
  md->datatype = geometry.datatype;
  md->imagetype = geometry.imagetype;
  clock_gettime(CLOCK_ISIO, &md->creationtime);
  md->lastaccesstime = md->creationtime;
  md->creatorPID = this_process();
  md->location = -1;
  md->NBproctrace = geometry.trace_entries;
  md->NBkw = geometry.keywords;
  md->imdatamemsize = format.bytes();
  std::for_each_n(keywords, format.keywords, [](IMAGE_KEYWORD& slot) { slot.type = 'N'; });
  const std::int64_t createcnt = image.createcnt;
  image = {};
  image.createcnt = createcnt;
  image.md = md;
  image.kw = keywords;
  set_pixels(image, array);
  copy_name(image.name, name);
  return IMAGESTREAMIO_SUCCESS;
}

void destroy_local(IMAGE& image) noexcept {
  deallocate(std::exchange(image.kw, nullptr));
  deallocate(pixels_of(image));
  set_pixels(image, nullptr);
}

errno_t destroy_shared(IMAGE& image) {
  const auto identity = identity_of(fmt::format("/proc/self/fd/{}", image.shmfd));
  const std::string path = path_of(image.md->name);
  const errno_t closed = ImageStreamIO_closeIm(&image);
  if (identity) {
    static_cast<void>(remove_if_same(path, *identity));
  }
  return closed;
}

}  // namespace
}  // namespace shmim::imagestreamio

using namespace shmim::imagestreamio;

errno_t ImageStreamIO_createIm(IMAGE* image, const char* name, long naxis, uint32_t* size,
                               uint8_t atype, int shared, int nb_kw, int cb_size) {
  return ImageStreamIO_createIm_gpu(image, name, naxis, size, atype, -1, shared, IMAGE_NB_SEMAPHORE,
                                    nb_kw, MATH_DATA, static_cast<uint32_t>(cb_size));
}

errno_t ImageStreamIO_createIm_gpu(IMAGE* image, const char* name, long naxis, uint32_t* size,
                                   uint8_t atype, int8_t location, int shared, int nb_sem,
                                   int nb_kw, uint64_t imagetype, uint32_t cb_size) {
  return guarded(IMAGESTREAMIO_FILEOPEN, [&]() -> errno_t {
    if (name == nullptr || *name == '\0') {
      return report(IMAGESTREAMIO_INVALIDARG, "an image without a name");
    }
    shmim::Format format = format_of(naxis, size, atype, nb_kw, imagetype);
    errno_t made = IMAGESTREAMIO_SUCCESS;
    if (shared == 1) {
      if (location < -1) {
        return report(IMAGESTREAMIO_INVALIDARG, fmt::format("there is no location {}", location));
      }
      format.location = location;
      format.semaphores = static_cast<std::uint16_t>(nb_sem);
      format.circular_buffer = cb_size;
      made = create_shared(*image, name, format);
    } else {
      format.semaphores = 0;
      made = create_local(*image, name, format);
    }
    if (made == IMAGESTREAMIO_SUCCESS) {
      image->used = 1;
      // Of an image that was never set up it counts from anything.
      image->createcnt = static_cast<int64_t>(static_cast<uint64_t>(image->createcnt) + 1);
    }
    return made;
  });
}

errno_t ImageStreamIO_destroyIm(IMAGE* image) {
  return guarded(IMAGESTREAMIO_FAILURE, [&]() -> errno_t {
    if (image->used != 1) {
      return IMAGESTREAMIO_SUCCESS;
    }
    errno_t destroyed = IMAGESTREAMIO_SUCCESS;
    if (is_shared(*image)) {
      destroyed = destroy_shared(*image);
    } else {
      destroy_local(*image);
    }
    image->used = 0;
    return destroyed;
  });
}

errno_t ImageStreamIO_image_sizing_from_scratch(IMAGE*, const char*, long, uint32_t*, uint8_t,
                                                int8_t, int, int, int, uint64_t, uint32_t,
                                                uint8_t*) {
  return report(IMAGESTREAMIO_NOTIMPL, "images are made whole, by createIm_gpu()");
}

uint64_t ImageStreamIO_initialize_buffer(IMAGE*) {
  report(IMAGESTREAMIO_NOTIMPL, "images are made whole, by createIm_gpu()");
  return 0;
}
