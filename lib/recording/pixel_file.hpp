#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "shmim/file.hpp"
#include "shmim/recording.hpp"

namespace shmim::recording {

/// Writes as much of `bytes` at `offset` as the system takes, and says how much. Throws Error:
/// no_space (or the file may not be larger), failed.
std::size_t write_some_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
                          const std::string& subject);
/// Writes all of it.
void write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset,
              const std::string& subject);

/// Bytes on their way to a file, in pieces of some megabytes and past the system's cache where that
/// can be. While a piece is written, by a thread that sees no signal, the next one is filled.
class PixelFile {
 public:
  /// Throws Error: exists, no_permission, failed (no direct I/O, where it is wanted always).
  PixelFile(const std::string& path, DirectIo direct);
  ~PixelFile() = default;
  PixelFile(const PixelFile&) = delete;
  PixelFile(PixelFile&&) = delete;
  PixelFile& operator=(const PixelFile&) = delete;
  PixelFile& operator=(PixelFile&&) = delete;

  /// Where the next bytes are to be put; never empty. Throws Error: no_space, failed.
  [[nodiscard]] std::span<std::byte> room();
  /// So many have been put there.
  void advance(std::size_t bytes) noexcept { filled_->used += bytes; }
  /// Hands all that there is to the system. Throws Error: no_space, failed.
  void flush();
  /// Waits until it is on the disk. Throws Error (failed).
  void sync();
  /// Of the file, with what has not been handed over.
  [[nodiscard]] std::uint64_t size() const noexcept { return filled_->begin + filled_->used; }
  /// Of the file, without.
  [[nodiscard]] std::uint64_t handed_over() const noexcept;
  /// Leaves so many of the last bytes that were handed over, and what was not, for good: for
  /// something else on the disk. False where there is nothing.
  bool give_back(std::uint64_t bytes);

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept;
  };
  struct Piece {
    Piece();
    std::unique_ptr<std::byte, Free> bytes;
    std::uint64_t begin = 0;  ///< in the file
    std::size_t used = 0;
    std::size_t handed_over = 0;  ///< of what is used
  };
  void write(Piece& piece) const;

  std::string path_;
  FileDescriptor file_;
  std::optional<std::uint64_t> cut_;  ///< there is nothing behind it any more
  bool is_direct_ = false;
  std::array<Piece, 2> pieces_;
  Piece* filled_ = pieces_.data();
  Piece* other_ = filled_ + 1;  ///< before it in the file: written, or under way
  std::uint64_t before_other_ = 0;
  std::shared_future<void> under_way_;  ///< the last member: it is waited for before the others go
};

}  // namespace shmim::recording
