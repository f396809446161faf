// Images of streams that are there: opened, closed, and turned to the one that has the name by now.

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imagestreamio/image.hpp"

namespace shmim::imagestreamio {
namespace {

/// More elements than this are taken for a mistake.
constexpr std::uint64_t most_elements = 10'000'000'000;

errno_t open(IMAGE& image, const std::string& name) {
  image.used = 0;
  Segment segment = Segment::open(path_of(name), Access::read_write);
  if (segment.size() <= sizeof(layout::Metadata)) {
    return report(IMAGESTREAMIO_FILEOPEN, name + ": is too short for a stream");
  }
  const auto& header = *reinterpret_cast<const layout::Metadata*>(segment.data());
  const layout::Geometry geometry = layout::geometry_in(header);
  const auto regions = layout::lay_out(geometry);
  if (!regions || regions->total != segment.size() || layout::load(header.shared) != 1) {
    return report(IMAGESTREAMIO_FILEOPEN, name + ": its header is not that of such a file");
  }
  const std::string version = layout::text_of(layout::load(header.version));
  if (version != layout::version.data()) {
    return report(IMAGESTREAMIO_VERSION,
                  fmt::format("{}: is of version '{}', or half made", name, version));
  }
  if (regions->array_bytes / element_size(static_cast<DataType>(geometry.datatype)) >
      most_elements) {
    return report(IMAGESTREAMIO_FAILURE, name + ": is too big");
  }
  if (geometry.location != -1) {
    return report(IMAGESTREAMIO_FAILURE, name + ": its array is in the memory of a GPU");
  }
  take_over(image, std::move(segment), name);
  image.used = 1;
  return IMAGESTREAMIO_SUCCESS;
}

errno_t compare_inode(const IMAGE& image) {
  const auto found = identity_of(path_of(image.md->name));
  if (!found) {
    return report(IMAGESTREAMIO_FAILURE, std::string(image.md->name) + ": is not there");
  }
  return found->inode == image.md->inode ? IMAGESTREAMIO_SUCCESS : IMAGESTREAMIO_INODE;
}

}  // namespace

void point_into(IMAGE& image, std::byte* data, const layout::Regions& regions) noexcept {
  const auto at = [data]<class T>(T*& pointer, std::uint64_t offset, bool is_there = true) {
    pointer = is_there ? reinterpret_cast<T*>(data + offset) : nullptr;
  };
  at(image.md, 0);
  std::byte* pixels = nullptr;
  at(pixels, regions.array, image.md->location == -1);
  set_pixels(image, pixels);
  at(image.kw, regions.keywords);
  at(image.semfile, regions.semaphores);
  at(image.semlog, regions.log_semaphore);
  at(image.semReadPID, regions.read_pid);
  at(image.semWritePID, regions.write_pid);
  at(image.semctrl, regions.control);
  at(image.semstatus, regions.status);
  at(image.streamproctrace, regions.trace);
  const bool has_slices = layout::has_slice_arrays(image.md->imagetype);
  at(image.atimearray, regions.slice_atime, has_slices);
  at(image.writetimearray, regions.slice_writetime, has_slices);
  at(image.cntarray, regions.slice_cnt, has_slices);
  image.flagarray = nullptr;
  at(image.CircBuff_md, regions.buffer_metadata, image.md->CBsize > 0);
  std::byte* frames = nullptr;
  at(frames, regions.buffer_frames, image.md->CBsize > 0);
  image.CBimdata = frames;
}

void take_over(IMAGE& image, Segment segment, const std::string& name) {
  const auto& header = *reinterpret_cast<const layout::Metadata*>(segment.data());
  const std::size_t semaphores = layout::load(header.sem);
  // At least one, so that NULL is a failure.
  auto** table = allocate<sem_t*>(std::max<std::size_t>(semaphores, 1));
  if (table == nullptr) {
    throw std::bad_alloc();
  }
  const BareMapping mapping = std::move(segment).release();
  point_into(image, mapping.data, *layout::lay_out(layout::geometry_in(header)));
  image.memsize = mapping.size;
  image.shmfd = mapping.descriptor;
  image.semptr = table;
  for (std::size_t index = 0; index < semaphores; ++index) {
    table[index] = &image.semfile[index].semdata;
  }
  copy_name(image.name, name);
}

Semaphores::Regions semaphores_of(const IMAGE& image) noexcept {
  const std::size_t count = image.md->sem;
  return {{&image.semfile->semdata, count}, image.semlog,           {image.semReadPID, count},
          {image.semWritePID, count},       {image.semctrl, count}, {image.semstatus, count}};
}

}  // namespace shmim::imagestreamio

using namespace shmim::imagestreamio;

errno_t ImageStreamIO_read_sharedmem_image_toIMAGE(const char* name, IMAGE* image) {
  return guarded(IMAGESTREAMIO_FILEOPEN, [&] { return open(*image, name); });
}

errno_t ImageStreamIO_openIm(IMAGE* image, const char* name) {
  return ImageStreamIO_read_sharedmem_image_toIMAGE(name, image);
}

errno_t ImageStreamIO_closeIm(IMAGE* image) {
  if (!is_shared(*image)) {
    return IMAGESTREAMIO_SUCCESS;  // closed before; or local, whose memory is the caller's
  }
  void* mapping = image->md;
  const std::size_t size = image->memsize;
  deallocate(image->semptr);
  ::close(image->shmfd);
  const std::int64_t createcnt = image->createcnt;
  const IMAGE before = *image;
  *image = {};
  std::copy(std::begin(before.name), std::end(before.name), std::begin(image->name));
  image->createcnt = createcnt;
  image->shmfd = no_file;
  return ::munmap(mapping, size) == 0 ? IMAGESTREAMIO_SUCCESS
                                      : report(IMAGESTREAMIO_MMAP, "cannot unmap the image");
}

errno_t ImageStreamIO_check_image_inode(IMAGE* image) {
  return guarded(IMAGESTREAMIO_FAILURE, [&] { return compare_inode(*image); });
}

errno_t ImageStreamIO_check_image_endpoint_inode(IMAGE* image) {
  return guarded(IMAGESTREAMIO_FAILURE, [&] { return compare_inode(*image); });
}

errno_t ImageStreamIO_store_image_inode(IMAGE* image) {
  struct stat status {};
  if (::fstat(image->shmfd, &status) != 0) {
    return report(IMAGESTREAMIO_INODE, "cannot look at the file of the image");
  }
  image->md->inode = status.st_ino;
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_new_image_compatible(IMAGE* source_image, IMAGE* new_image) {
  const IMAGE_METADATA& source = *source_image->md;
  const IMAGE_METADATA& other = *new_image->md;
  const bool is_compatible = source.datatype == other.datatype &&
                             source.location == other.location && source.sem == other.sem &&
                             source.naxis == other.naxis &&
                             std::equal(source.size, source.size + source.naxis, other.size) &&
                             source.NBkw <= other.NBkw && source.CBsize <= other.CBsize;
  return is_compatible ? IMAGESTREAMIO_SUCCESS : IMAGESTREAMIO_FAILURE;
}

errno_t ImageStreamIO_autorelink_if_need_if_can(IMAGE* image) {
  const errno_t inode = ImageStreamIO_check_image_endpoint_inode(image);
  if (inode != IMAGESTREAMIO_INODE) {
    return inode;
  }
  IMAGE successor{};
  if (ImageStreamIO_openIm(&successor, image->name) != IMAGESTREAMIO_SUCCESS) {
    return IMAGESTREAMIO_FAILURE;
  }
  if (ImageStreamIO_new_image_compatible(image, &successor) != IMAGESTREAMIO_SUCCESS) {
    static_cast<void>(ImageStreamIO_closeIm(&successor));
    return report(IMAGESTREAMIO_FAILURE, "the image that has the name now is of another format");
  }
  static_cast<void>(ImageStreamIO_closeIm(image));
  *image = successor;
  return IMAGESTREAMIO_SUCCESS;
}

errno_t ImageStreamIO_image_sizing(IMAGE* image, uint8_t* map) {
  if (image == nullptr || image->md == nullptr || image->md->name[0] == '\0') {
    return report(IMAGESTREAMIO_INVALIDARG, "an image without a header or a name");
  }
  const auto regions = shmim::layout::lay_out(shmim::layout::geometry_in(header_of(*image)));
  if (!regions || image->md->location < -1 || image->md->shared > 1) {
    return report(IMAGESTREAMIO_INVALIDARG, "a header that is not a stream's");
  }
  copy_name(image->name, image->md->name);
  image->shmfd = image->md->shared == 1 ? image->shmfd : 0;
  image->memsize = image->md->shared == 1 ? regions->total : 0;
  if (image->md->shared == 1) {
    point_into(*image, reinterpret_cast<std::byte*>(map), *regions);
  }
  return IMAGESTREAMIO_SUCCESS;
}
