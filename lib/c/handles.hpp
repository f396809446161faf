// What the handles of the C interface are, and how what is thrown becomes the number of a problem.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <vector>

#include "shmim/error.hpp"
#include "shmim/follow.hpp"
#include "shmim/publisher.hpp"
#include "shmim/resolve.hpp"
#include "shmim/shmim.h"
#include "shmim/stream.hpp"
#include "shmim/write.hpp"

// The names are the interface's.
// NOLINTBEGIN(readability-identifier-naming)
struct shmim_stream {
  shmim::Stream stream;
  std::optional<shmim::WriteGuard> begun = {};     ///< the frame between begin and commit
  std::optional<shmim::Publisher> publisher = {};  ///< since the first shmim_write()
  mutable bool is_shown = false;                   ///< its array was given, and may be looked at
  std::vector<shmim::Stream> former = {};          ///< those that were shown and re-created
};

struct shmim_follower {
  shmim::Follower follower;
  shmim::FrameOrder order;
  shmim::TakenFrame taken = {};
};

struct shmim_trigger {
  shmim::Trigger trigger;
};
// NOLINTEND(readability-identifier-naming)

namespace shmim::c {

void tell(shmim_error* error, int problem, int error_number, const char* message) noexcept;
[[nodiscard]] int number_of(Problem problem) noexcept;

/// What `call` gives, a number of a problem, or that of what it throws.
template <class Call>
int guarded(shmim_error* error, Call&& call) noexcept {
  try {
    const int problem = call();
    tell(error, problem, 0, "");
    return problem;
  } catch (const Error& thrown) {
    tell(error, number_of(thrown.problem()), thrown.error_number(), thrown.what());
    return number_of(thrown.problem());
  } catch (const std::bad_alloc&) {
    tell(error, SHMIM_NO_MEMORY, 0, "no memory");
    return SHMIM_NO_MEMORY;
  } catch (const std::exception& thrown) {
    tell(error, SHMIM_FAILED, 0, thrown.what());
    return SHMIM_FAILED;
  } catch (...) {
    tell(error, SHMIM_FAILED, 0, "failed");
    return SHMIM_FAILED;
  }
}

/// Throws Error (usage) for NULL.
template <class T>
T& required(T* pointer, const char* what) {
  if (pointer == nullptr) {
    throw Error(Problem::usage, "", std::string(what) + " is NULL");
  }
  return *pointer;
}

/// The directory, NULL for the usual one.
[[nodiscard]] SearchPath search_path_of(const char* directory);
[[nodiscard]] Deadline deadline_of(std::int64_t timeout) noexcept;
[[nodiscard]] std::int64_t nanoseconds_of(Tai time) noexcept;
[[nodiscard]] shmim_frame frame_of(const FrameInfo& info) noexcept;
/// Throws Error (usage) if there is less room than `wanted`.
[[nodiscard]] std::span<std::byte> room(void* pixels, std::size_t bytes, std::uint64_t wanted);

}  // namespace shmim::c
