#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace shmim::tools {

/// All of `bytes` to standard output, past stdio. Throws BrokenPipe, Interrupted, Error.
void write_stdout(std::span<const std::byte> bytes);
void write_stdout(std::string_view text);
/// A text with `bytes` behind it, which are not copied.
void write_stdout(std::string_view text, std::span<const std::byte> bytes);

/// True once there is no point in waiting for what is to be written: we are interrupted(), or
/// whoever read standard output, a pipe or a socket, has gone.
bool is_writing_over() noexcept;
/// Throws Interrupted or BrokenPipe, if is_writing_over().
void throw_if_writing_is_over();

/// Of the terminal that standard output is, or where it is none, of one as they usually are.
struct TextSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
[[nodiscard]] TextSize size_of_stdout() noexcept;

}  // namespace shmim::tools
