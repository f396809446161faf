#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shmim/file.hpp"
#include "shmim/recording.hpp"

namespace shmim::recording {

/// Writes all of `bytes` at `offset`. Throws Error: no_space, failed.
void write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
              const std::string& subject);

/// Bytes on their way to a file, in pieces of some megabytes and past the system's cache where that
/// can be.
class PixelFile {
 public:
  /// Throws Error: exists, no_permission, failed (no direct I/O, where it is wanted always).
  PixelFile(const std::string& path, DirectIo direct);

  /// Where the next bytes are to be put; never empty. Throws Error: no_space, failed.
  [[nodiscard]] std::span<std::byte> room();
  /// So many have been put there.
  void advance(std::size_t bytes) noexcept { used_ += bytes; }
  /// Hands all that there is to the system. Throws Error: no_space, failed.
  void flush();
  /// Waits until it is on the disk. Throws Error (failed).
  void sync();
  /// Of the file, with what has not been handed over.
  [[nodiscard]] std::uint64_t size() const noexcept { return begin_ + used_; }
  /// Of the file, without.
  [[nodiscard]] std::uint64_t handed_over() const noexcept { return begin_ + handed_over_; }

 private:
  struct Free {
    void operator()(std::byte* piece) const noexcept;
  };
  std::string path_;
  FileDescriptor file_;
  bool is_direct_ = false;
  std::unique_ptr<std::byte, Free> piece_;
  std::uint64_t begin_ = 0;  ///< of the piece, in the file
  std::size_t used_ = 0;
  std::size_t handed_over_ = 0;  ///< of what is used
};

}  // namespace shmim::recording
