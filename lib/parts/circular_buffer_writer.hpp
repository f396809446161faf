#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/copy.hpp"
#include "shmim/circular_buffer.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// What a writer does to the circular buffer. All of it is for one that holds the write flag, and
/// does nothing if there is no buffer.
class CircularBufferWriter {
 public:
  CircularBufferWriter(layout::Metadata& header, std::span<layout::CircularBufferSlot> slots,
                       std::span<std::byte> frames, std::size_t frame_bytes) noexcept
      : header_(&header), slots_(slots), frames_(frames), frame_bytes_(frame_bytes) {}

  /// Copies the frame in the newest slot; nobody overtakes us.
  void copy_newest(std::span<std::byte> pixels) const noexcept {
    if (!slots_.empty()) {
      const std::size_t slot = layout::buffer_index(*header_) % slots_.size();
      std::memcpy(pixels.data(), &frames_[slot * frame_bytes_], frame_bytes_);
    }
  }

  /// Where the next frame goes; empty if there is no buffer.
  [[nodiscard]] std::span<std::byte> next_frame() const noexcept {
    return slots_.empty() ? std::span<std::byte>()
                          : frames_.subspan(next_slot() * frame_bytes_, frame_bytes_);
  }
  /// Puts a frame in the next slot, before it is counted.
  void push(std::span<const std::byte> pixels, const FrameInfo& info) const noexcept {
    if (!slots_.empty()) {
      copy_frame(next_frame().data(), pixels.data(), frame_bytes_);
      push(info);
    }
  }
  /// Counts a frame in that has been put into next_frame() already.
  void push(const FrameInfo& info) const noexcept {
    if (slots_.empty()) {
      return;
    }
    const std::uint32_t next = next_slot();
    layout::CircularBufferSlot& slot = slots_[next];
    layout::store(slot.cnt0, info.cnt0);
    layout::store(slot.cnt1, info.cnt1);
    layout::store(slot.atime, to_timespec(info.atime));
    layout::store(slot.writetime, to_timespec(info.writetime));
    if (next == 0) {
      layout::store(header_->cb_cycle, layout::load(header_->cb_cycle) + 1);
    }
    layout::set_buffer_index(*header_, next);
  }

 private:
  [[nodiscard]] std::uint32_t next_slot() const noexcept {
    // One compare also brings an index back that another program has put out of range.
    const std::uint32_t index = layout::load(header_->cb_index);
    return index < slots_.size() - 1 ? index + 1 : 0;
  }
  layout::Metadata* header_;
  std::span<layout::CircularBufferSlot> slots_;
  std::span<std::byte> frames_;
  std::size_t frame_bytes_;
};

}  // namespace shmim
