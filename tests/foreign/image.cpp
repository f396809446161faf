#include "image.hpp"

#include <cstring>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shmim::foreign {
namespace {

/// Where the fields are, structure version 2.00.
namespace offset {
constexpr std::size_t size_z = 124;
constexpr std::size_t lastaccesstime = 168;
constexpr std::size_t atime = 184;
constexpr std::size_t writetime = 200;
constexpr std::size_t inode = 232;
constexpr std::size_t sem = 258;
constexpr std::size_t trace_entries = 260;
constexpr std::size_t cnt0 = 264;
constexpr std::size_t cnt1 = 272;
constexpr std::size_t write = 288;
constexpr std::size_t keywords = 290;
constexpr std::size_t buffer_size = 292;
constexpr std::size_t buffer_index = 296;
constexpr std::size_t buffer_cycle = 304;
constexpr std::size_t array_bytes = 312;
constexpr std::size_t array = 384;
}  // namespace offset

constexpr std::size_t keyword_bytes = 128;
constexpr std::size_t trace_bytes = 64;
constexpr std::size_t buffer_slot_bytes = 48;
constexpr int semaphore_maximum = 10;

constexpr std::size_t rounded(std::size_t bytes) noexcept { return (bytes + 7) / 8 * 8; }

void fill(std::span<std::byte> pixels, std::uint64_t number) noexcept {
  for (std::size_t i = 0; i < pixels.size(); i += sizeof number) {
    std::memcpy(&pixels[i], &number, sizeof number);
  }
}

}  // namespace

const char* name_of(Order order) noexcept {
  switch (order) {
    case Order::update_im:
      return "UpdateIm";
    case Order::pymilk:
      return "pyMilk";
    case Order::magaox:
      return "MagAO-X";
    case Order::by_hand:
      break;
  }
  return "by hand";
}

Image::Image(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    throw std::system_error(errno, std::generic_category(), path.string());
  }
  void* map = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ | PROT_WRITE,
                     MAP_SHARED, file, 0);
  ::close(file);
  if (map == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), path.string());
  }
  map_ = static_cast<std::byte*>(map);
  semaphores_at_ =
      offset::array + rounded(array().size()) + keyword_bytes * at<std::uint16_t>(offset::keywords);
}

std::uint64_t Image::cnt0() const noexcept { return at<volatile std::uint64_t>(offset::cnt0); }
std::uint64_t Image::inode() const noexcept { return at<std::uint64_t>(offset::inode); }
unsigned Image::semaphores() const noexcept { return at<std::uint16_t>(offset::sem); }

sem_t* Image::semaphore(unsigned index) const noexcept {
  return &at<sem_t>(semaphores_at_ + index * sizeof(sem_t));
}

std::span<std::byte> Image::array() const noexcept {
  return {map_ + offset::array, at<std::uint64_t>(offset::array_bytes)};
}

void Image::post_all() const noexcept {
  const std::size_t read_pids = semaphores_at_ + (semaphores() + 1UL) * sizeof(sem_t);
  const std::size_t write_pids = read_pids + rounded(semaphores() * sizeof(pid_t));
  for (unsigned index = 0; index <= semaphores(); ++index) {  // the last one is the log's
    int value = 0;
    sem_getvalue(semaphore(index), &value);
    if (value < semaphore_maximum) {
      sem_post(semaphore(index));
    }
    if (index < semaphores()) {
      at<pid_t>(write_pids + index * sizeof(pid_t)) = ::getpid();
    }
  }
}

void Image::push_to_buffer() const noexcept {
  const auto size = at<std::uint32_t>(offset::buffer_size);
  if (size == 0) {
    return;
  }
  std::uint32_t slot = at<std::uint32_t>(offset::buffer_index) + 1;
  if (slot >= size) {
    slot = 0;
    ++at<std::uint64_t>(offset::buffer_cycle);
  }
  const std::size_t semaphore_bytes =
      (semaphores() + 1UL) * sizeof(sem_t) + 4 * rounded(semaphores() * sizeof(std::uint32_t));
  const std::size_t frames = semaphores_at_ + semaphore_bytes +
                             trace_bytes * at<std::uint16_t>(offset::trace_entries) +
                             buffer_slot_bytes * size;
  std::memcpy(map_ + frames + slot * array().size(), array().data(), array().size());
  at<std::uint32_t>(offset::buffer_index) = slot;
}

void Image::write_plane() const noexcept {
  const auto planes = at<std::uint32_t>(offset::size_z);
  const std::size_t bytes = array().size() / planes;
  const std::uint64_t number = at<std::uint64_t>(offset::cnt0) + 1;
  const std::uint64_t plane = (number - 1) % planes;
  const std::size_t atimes = semaphores_at_ + (semaphores() + 1UL) * sizeof(sem_t) +
                             4 * rounded(semaphores() * sizeof(std::uint32_t)) +
                             trace_bytes * at<std::uint16_t>(offset::trace_entries);
  const std::size_t writetimes = atimes + planes * sizeof(timespec);
  const std::size_t counts = writetimes + planes * sizeof(timespec);
  at<volatile std::uint8_t>(offset::write) = 1;
  fill(array().subspan(plane * bytes, bytes), number);
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  at<timespec>(offset::writetime) = now;
  at<timespec>(offset::atime) = now;
  at<volatile std::uint64_t>(offset::cnt1) = plane;
  at<volatile std::uint64_t>(offset::cnt0) = number;
  at<timespec>(atimes + plane * sizeof(timespec)) = now;
  at<timespec>(writetimes + plane * sizeof(timespec)) = now;
  at<volatile std::uint64_t>(counts + plane * sizeof number) = number;
  at<volatile std::uint8_t>(offset::write) = 0;
  post_all();
}

void Image::write(Order order) const noexcept {
  if (order == Order::magaox) {
    write_plane();
    return;
  }
  auto& flag = at<volatile std::uint8_t>(offset::write);
  auto& count = at<volatile std::uint64_t>(offset::cnt0);
  timespec now{};
  flag = 1;
  fill(array(), count + 1);
  clock_gettime(CLOCK_TAI, &now);
  switch (order) {
    case Order::update_im:
      push_to_buffer();
      at<timespec>(offset::writetime) = now;
      at<timespec>(offset::atime) = now;
      count = count + 1;
      flag = 0;
      post_all();
      break;
    case Order::pymilk:
      post_all();
      at<timespec>(offset::lastaccesstime) = now;
      flag = 0;
      count = count + 1;
      at<volatile std::uint64_t>(offset::cnt1) = at<volatile std::uint64_t>(offset::cnt1) + 1;
      break;
    default:
      count = count + 1;
      flag = 0;
      post_all();
  }
}

}  // namespace shmim::foreign
