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

  /// Where the next frame goes; empty if there is no buffer. From now on no reader takes the slot
  /// for a frame's, until number() gives it its number.
  [[nodiscard]] std::span<std::byte> begin_frame() const noexcept {
    if (slots_.empty()) {
      return {};
    }
    const std::uint32_t next = next_slot();
    layout::begin_filling(slots_[next]);
    return frames_.subspan(next * frame_bytes_, frame_bytes_);
  }
  /// Makes the slot that begin_frame() gave, and that now holds a frame, the newest.
  void push(const FrameInfo& info) const noexcept {
    if (slots_.empty()) {
      return;
    }
    const std::uint32_t next = next_slot();
    layout::CircularBufferSlot& slot = slots_[next];
    layout::store(slot.cnt1, info.cnt1);
    layout::store(slot.atime, to_timespec(info.atime));
    layout::store(slot.writetime, to_timespec(info.writetime));
    if (next == 0) {
      layout::store(header_->cb_cycle, layout::load(header_->cb_cycle) + 1);
    }
    layout::set_buffer_index(*header_, next);
  }
  /// Says which frame the newest slot holds: the last thing before that is counted, so that nobody
  /// who counts another frame after our death gives it this one's number.
  void number(std::uint64_t cnt0) const noexcept {
    if (!slots_.empty()) {
      layout::number_slot(slots_[layout::load(header_->cb_index)], cnt0);
    }
  }

  /// Takes the newest slot back, which a writer filled whose frame was never counted.
  void withdraw_newest() const noexcept {
    const std::uint32_t index = layout::load(header_->cb_index);
    layout::begin_filling(slots_[index]);
    layout::set_buffer_index(*header_, index > 0 ? index - 1 : last_slot());
    if (index == 0) {
      layout::store(header_->cb_cycle, layout::load(header_->cb_cycle) - 1);
    }
  }

 private:
  [[nodiscard]] std::uint32_t next_slot() const noexcept {
    // One compare also brings an index back that another program has put out of range.
    const std::uint32_t index = layout::load(header_->cb_index);
    return index < last_slot() ? index + 1 : 0;
  }
  [[nodiscard]] std::uint32_t last_slot() const noexcept {
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  layout::Metadata* header_;
  std::span<layout::CircularBufferSlot> slots_;
  std::span<std::byte> frames_;
  std::size_t frame_bytes_;
};

}  // namespace shmim
