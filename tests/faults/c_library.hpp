#pragma once

// What programs of the C library do to a stream, as they do it: plain loads and stores in its
// order, a claim that tests and then stores, a creator that works in the open. Not for use, but to
// be beside it. Compiled apart from its callers, as theirs is: a call is all that keeps its stores
// in order.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include <semaphore.h>
#include <shmim/layout.hpp>
#include <sys/types.h>

namespace shmim::faults::c_library {

/// A stream, mapped for as long as the process lives.
struct Image {
  layout::Metadata* md;
  std::span<std::byte> array;
  std::span<sem_t> semptr;
  sem_t* semlog;
  pid_t* semReadPID;   // NOLINT(readability-identifier-naming): the C library's name
  pid_t* semWritePID;  // NOLINT(readability-identifier-naming): likewise
  std::byte* cb_array;
};

Image open(const std::filesystem::path& path);

/// Unlinks what has the name, makes the file in its place and fills it in, the version last.
/// Halfway, before the version, it calls `halfway`.
Image create(const std::filesystem::path& path, const layout::Geometry& geometry,
             void (*halfway)() = nullptr);

/// write = 1, which the C library leaves to its callers.
void begin(const Image& image);
/// Copies the array to the circular buffer, stamps, counts, ends the writing, and posts.
void update(const Image& image);
/// What writers outside the library often do: posts first, and counts after.
void update_posting_first(const Image& image);

/// Claims a semaphore for this process; nothing where all are taken.
std::optional<unsigned> claim_semaphore(const Image& image);

}  // namespace shmim::faults::c_library
