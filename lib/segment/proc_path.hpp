#pragma once

#include <string>

#include <fmt/format.h>

#include "shmim/file.hpp"

namespace shmim {

/// Name of an open file for calls that take a path, whether it has one in a directory or not.
inline std::string path_of(const FileDescriptor& file) {
  return fmt::format("/proc/self/fd/{}", file.get());
}

}  // namespace shmim
