#pragma once

#include <cstddef>

#include <shmim/shmim.hpp>

namespace shmim::tools {

struct Pipe {
  FileDescriptor reading;
  FileDescriptor writing;
};
/// A new pipe, whose ends no program inherits that we start. Throws Error (no_descriptor, failed).
[[nodiscard]] Pipe make_pipe();

/// Where the descriptor is a pipe, makes room in it for one frame, as far as any user may: not for
/// more, which would only be older when they are read.
void widen_pipe(int descriptor, std::size_t frame_bytes) noexcept;

/// Where the descriptor is a pipe, leaves as little room in it as there can be, a page: whoever
/// wants the newest gets what is in it first.
void narrow_pipe(int descriptor) noexcept;

/// As many open files as the system lets us have: for tools that keep every stream open.
void raise_file_limit() noexcept;

}  // namespace shmim::tools
