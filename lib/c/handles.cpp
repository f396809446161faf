#include "c/handles.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "shmim/directory.hpp"

namespace shmim::c {

void tell(shmim_error* error, int problem, int error_number, const char* message) noexcept {
  if (error == nullptr) {
    return;
  }
  error->problem = problem;
  error->error_number = error_number;
  const std::size_t length = std::min(std::strlen(message), sizeof error->message - 1);
  std::memcpy(error->message, message, length);
  error->message[length] = '\0';
}

int number_of(Problem problem) noexcept {
  switch (problem) {
    case Problem::failed:
    case Problem::no_descriptor:
    case Problem::not_an_image:
      return SHMIM_FAILED;
    case Problem::usage:
      return SHMIM_USAGE;
    case Problem::not_found:
    case Problem::dangling_link:
      return SHMIM_NOT_FOUND;
    case Problem::exists:
      return SHMIM_EXISTS;
    case Problem::mismatch:
      return SHMIM_MISMATCH;
    case Problem::too_short:
    case Problem::no_version:
    case Problem::other_version:
    case Problem::dao_layout:
    case Problem::wrong_size:
    case Problem::bad_header:
      return SHMIM_NOT_A_STREAM;
    case Problem::no_permission:
      return SHMIM_NO_PERMISSION;
    case Problem::no_space:
      return SHMIM_NO_SPACE;
    case Problem::no_directory:
      return SHMIM_NO_DIRECTORY;
    case Problem::not_ours_to_write:
      return SHMIM_NOT_OURS_TO_WRITE;
    case Problem::on_gpu:
      return SHMIM_ON_GPU;
    case Problem::claimed:
      return SHMIM_CLAIMED;
    case Problem::unfinished:
      return SHMIM_UNFINISHED;
    case Problem::busy:
      return SHMIM_BUSY;
    case Problem::removed:
      return SHMIM_REMOVED;
  }
  return SHMIM_FAILED;
}

SearchPath search_path_of(const char* directory) {
  SearchPath search_path;
  search_path.shm = directory == nullptr ? default_shm_directory() : require_directory(directory);
  return search_path;
}

Deadline deadline_of(std::int64_t timeout) noexcept {
  return timeout < 0 ? Deadline() : deadline_after(std::chrono::nanoseconds{timeout});
}

std::int64_t nanoseconds_of(Tai time) noexcept { return time.time_since_epoch().count(); }

shmim_frame frame_of(const FrameInfo& info) noexcept {
  shmim_frame frame{};
  frame.cnt0 = info.cnt0;
  frame.cnt1 = info.cnt1;
  frame.atime = nanoseconds_of(info.atime);
  frame.writetime = nanoseconds_of(info.writetime);
  return frame;
}

std::span<std::byte> room(void* pixels, std::size_t bytes, std::uint64_t wanted) {
  static_cast<void>(required(static_cast<std::byte*>(pixels), "pixels"));
  if (bytes < wanted) {
    throw Error(Problem::usage, "",
                fmt::format("there is room for {} bytes, and a frame has {}", bytes, wanted));
  }
  return {static_cast<std::byte*>(pixels), static_cast<std::size_t>(wanted)};
}

}  // namespace shmim::c
