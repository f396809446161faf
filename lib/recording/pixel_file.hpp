#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

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
/// can be. While a piece is filled those before it are written, by a thread that sees no signal.
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
  void advance(std::size_t bytes) noexcept { size_ += bytes; }
  /// Hands all that there is to the system. Throws Error: no_space, failed.
  void flush();
  /// Waits until it is on the disk. Throws Error (failed).
  void sync();
  /// Of the file, with what has not been handed over.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Of the file, without.
  [[nodiscard]] std::uint64_t handed_over() const noexcept { return cut_.value_or(handed_over_); }
  /// Leaves so many of the last bytes that were handed over, and what was not, for good: for
  /// something else on the disk. To be called after flush(). False where there is nothing.
  bool give_back(std::uint64_t bytes);

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept;
  };
  using Piece = std::unique_ptr<std::byte, Free>;
  static Piece new_piece();
  [[nodiscard]] std::byte* bytes_at(std::uint64_t offset) const noexcept;

  void start_writer();
  void write_full_pieces(const std::stop_token& stop);
  void wait_until_handed_over(std::uint64_t end);
  void write_until(std::uint64_t end);
  void write_piece(std::uint64_t end);

  std::string path_;
  FileDescriptor file_;
  std::optional<std::uint64_t> cut_;  ///< there is nothing behind it any more
  bool is_direct_ = false;
  /// One is filled and one is written, and one between them is ready: neither waits to be woken.
  std::array<Piece, 3> pieces_{new_piece(), new_piece(), new_piece()};
  std::uint64_t size_ = 0;
  std::atomic<std::uint64_t> handed_over_ = 0;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t full_ = 0;    ///< up to here the writer may take pieces
  std::exception_ptr error_;  ///< with which it ended
  /// Started with the first piece that is full. After an error, and where there can be no thread,
  /// whoever needs room writes. The last member: it ends before the others go.
  std::optional<std::jthread> writer_;
};

}  // namespace shmim::recording
