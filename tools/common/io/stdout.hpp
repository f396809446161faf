#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace shmim::tools {

/// All of `bytes` to standard output, past stdio. Throws BrokenPipe, Interrupted, Error.
void write_stdout(std::span<const std::byte> bytes);
void write_stdout(std::string_view text);

}  // namespace shmim::tools
