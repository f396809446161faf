#pragma once

// A stream as programs have it that know the layout and use no library of ours: fields by their
// offsets, plain stores in the order of each program. Compiled apart from its callers, as theirs
// is: a call is all that keeps its stores in order.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include <semaphore.h>

namespace shmim::foreign {

/// How a program writes a frame.
enum class Order {
  update_im,  ///< the C library: buffer, times, count, flag, posts
  pymilk,     ///< flag, pixels, posts, time of access, flag, counts; no times, no buffer
  magaox,     ///< flag, one plane, times in UTC, counts, arrays of the planes, flag, posts
  by_hand,    ///< much of milk: flag, pixels, count, flag, posts; no times, no buffer
};
[[nodiscard]] const char* name_of(Order order) noexcept;

/// A stream, mapped for as long as the process lives.
class Image {
 public:
  explicit Image(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t cnt0() const noexcept;
  [[nodiscard]] std::uint64_t inode() const noexcept;
  [[nodiscard]] unsigned semaphores() const noexcept;
  [[nodiscard]] sem_t* semaphore(unsigned index) const noexcept;
  /// Writes a frame with its number, as it will be counted, in every 64-bit element.
  void write(Order order) const noexcept;

 private:
  template <class T>
  [[nodiscard]] T& at(std::size_t offset) const noexcept {
    return *reinterpret_cast<T*>(map_ + offset);
  }
  [[nodiscard]] std::span<std::byte> array() const noexcept;
  void post_all() const noexcept;
  void write_plane() const noexcept;
  void push_to_buffer() const noexcept;
  std::byte* map_ = nullptr;
  std::size_t semaphores_at_ = 0;
};

}  // namespace shmim::foreign
