#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <sys/types.h>

namespace shmim::tools {

// Standard streams are shared with whoever started us, who may have made them non-blocking: reading
// and writing wait all the same, and signals end the waiting.

/// Writes all of `bytes`. Gives 0, or the errno of what failed; EINTR where SIGINT or SIGTERM came
/// before the end.
[[nodiscard]] int write_all(int descriptor, std::span<const std::byte> bytes) noexcept;
/// The same of two, one behind the other, without a copy of either and in one call where it can be.
[[nodiscard]] int write_all(int descriptor, std::span<const std::byte> first,
                            std::span<const std::byte> second) noexcept;

/// One system call of it: as writev(2) gives.
[[nodiscard]] ssize_t write_some(int descriptor, std::span<const std::byte> first,
                                 std::span<const std::byte> second) noexcept;

/// Reads what there is, at least a byte; 0 at the end. Throws Interrupted, Error with that subject.
[[nodiscard]] std::size_t read_some(int descriptor, std::span<std::byte> bytes,
                                    const std::string& subject);

/// Blocks until the descriptor can be read from, or written to, or a signal comes.
void await_readable(int descriptor) noexcept;
void await_writable(int descriptor) noexcept;

}  // namespace shmim::tools
