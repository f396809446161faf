#include "c_library.hpp"

#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shmim::faults::c_library {
namespace {

constexpr int semaphore_maximum = 10;

Image image_of(std::byte* map) {
  auto* md = reinterpret_cast<layout::Metadata*>(map);
  const layout::Regions regions = layout::lay_out(layout::geometry_in(*md)).value();
  return {md,
          {map + regions.array, regions.array_bytes},
          {reinterpret_cast<sem_t*>(map + regions.semaphores), md->sem},
          reinterpret_cast<sem_t*>(map + regions.log_semaphore),
          reinterpret_cast<pid_t*>(map + regions.read_pid),
          reinterpret_cast<pid_t*>(map + regions.write_pid),
          map + regions.buffer_frames};
}

std::byte* map_file(int descriptor, std::size_t size) {
  void* map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  return map == MAP_FAILED ? nullptr : static_cast<std::byte*>(map);
}

layout::Timespec clock_now() {
  timespec now{};
  clock_gettime(CLOCK_TAI, &now);
  return {now.tv_sec, now.tv_nsec};
}

void post_semaphores(const Image& image) {
  for (std::size_t index = 0; index < image.semptr.size(); ++index) {
    int value = 0;
    sem_getvalue(&image.semptr[index], &value);
    if (value < semaphore_maximum) {
      sem_post(&image.semptr[index]);
    }
    image.semWritePID[index] = getpid();
  }
  int value = 0;
  sem_getvalue(image.semlog, &value);
  if (value < semaphore_maximum) {
    sem_post(image.semlog);
  }
}

void push_to_circular_buffer(const Image& image) {
  layout::Metadata& md = *image.md;
  if (md.cb_size == 0) {
    return;
  }
  std::uint32_t slot = md.cb_index + 1;
  if (slot >= md.cb_size) {
    slot = 0;
    md.cb_cycle++;
  }
  std::memcpy(image.cb_array + slot * image.array.size(), image.array.data(), image.array.size());
  md.cb_index = slot;
}

}  // namespace

Image open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat status {};
  ::fstat(descriptor, &status);
  return image_of(map_file(descriptor, static_cast<std::size_t>(status.st_size)));
}

Image create(const std::filesystem::path& path, const layout::Geometry& geometry,
             void (*halfway)()) {
  const layout::Regions regions = layout::lay_out(geometry).value();
  ::unlink(path.c_str());
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  // The size is set by writing its last byte.
  ::lseek(descriptor, static_cast<off_t>(regions.total - 1), SEEK_SET);
  static_cast<void>(::write(descriptor, "", 1));
  struct stat status {};
  ::fstat(descriptor, &status);
  std::byte* map = map_file(descriptor, regions.total);
  auto* md = reinterpret_cast<layout::Metadata*>(map);
  md->naxis = geometry.naxis;
  md->size = geometry.size;
  md->datatype = geometry.datatype;
  md->imagetype = geometry.imagetype;
  md->location = geometry.location;
  md->sem = geometry.semaphores;
  md->nb_proctrace = geometry.trace_entries;
  md->nb_kw = geometry.keywords;
  md->cb_size = geometry.circular_buffer;
  md->imdatamemsize = regions.array_bytes;
  md->nelement = regions.array_bytes / element_size(static_cast<DataType>(geometry.datatype));
  md->inode = status.st_ino;
  md->creator_pid = getpid();
  md->shared = 1;
  md->creationtime = clock_now();
  const std::string name = path.stem().stem().string();
  std::memcpy(md->name.data(), name.data(), std::min(name.size(), md->name.size() - 1));
  if (halfway != nullptr) {
    halfway();
  }
  const Image image = image_of(map);
  for (std::size_t index = 0; index < image.semptr.size(); ++index) {
    sem_init(&image.semptr[index], 1, 0);
    image.semReadPID[index] = -1;
    image.semWritePID[index] = -1;
  }
  auto* keywords = reinterpret_cast<layout::KeywordSlot*>(map + regions.keywords);
  for (std::size_t slot = 0; slot < geometry.keywords; ++slot) {
    keywords[slot].type = 'N';
  }
  std::memcpy(md->version.data(), layout::version.data(), layout::version.size());
  return image;
}

void begin(const Image& image) { image.md->write = 1; }

void update(const Image& image) {
  push_to_circular_buffer(image);
  image.md->writetime = clock_now();
  image.md->atime = image.md->writetime;
  image.md->cnt0++;
  image.md->write = 0;
  post_semaphores(image);
}

void update_posting_first(const Image& image) {
  post_semaphores(image);
  image.md->writetime = clock_now();
  image.md->atime = image.md->writetime;
  image.md->cnt0++;
  image.md->write = 0;
}

std::optional<unsigned> claim_semaphore(const Image& image) {
  for (unsigned index = 0; index < image.semptr.size(); ++index) {
    const pid_t holder = image.semReadPID[index];
    if (holder == 0 || getpgid(holder) < 0) {
      image.semReadPID[index] = getpid();
      return index;
    }
  }
  return std::nullopt;
}

}  // namespace shmim::faults::c_library
