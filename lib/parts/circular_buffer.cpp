#include "shmim/circular_buffer.hpp"

#include <algorithm>

namespace shmim {

bool CircularBuffer::in_use() const noexcept {
  // One slot is filled whenever the array is: no frame in it outlasts the writing of the next.
  return size() > 1 &&
         (layout::buffer_index(*header_) != 0 || layout::load(header_->cb_cycle) != 0);
}

std::optional<CircularBuffer::Position> CircularBuffer::newest() const noexcept {
  const bool was_writing = layout::is_writing(*header_);
  const std::uint64_t cnt0 = layout::cnt0(*header_);
  const std::uint32_t slot = layout::buffer_index(*header_);
  if (slot >= size()) {
    return std::nullopt;
  }
  // A frame is in its slot before it is counted, so while a writer is at work the slot may hold the
  // frame after cnt0. Ours say which in the slot's metadata.
  const std::uint64_t label = layout::load(slots_[slot].cnt0);
  layout::finish_copy();
  if (layout::load(header_->cb_index) != slot) {
    return std::nullopt;
  }
  if (label != 0 && (label == cnt0 || label == cnt0 + 1)) {
    return Position{label, slot};
  }
  if (!was_writing && !layout::is_writing(*header_) && layout::cnt0(*header_) == cnt0) {
    return Position{cnt0, slot};
  }
  return number_by_next_step(slot, cnt0);
}

std::optional<CircularBuffer::Position> CircularBuffer::number_by_next_step(
    std::uint32_t slot, std::uint64_t cnt0) const noexcept {
  // The C library leaves the metadata empty. Its writer moves the index, counts, moves the index,
  // counts: whichever moves first tells which of the two was next. What is loaded first is what has
  // moved, and the other did not move before it.
  const std::uint32_t next_slot = slot + 1 < size() ? slot + 1 : 0;
  for (int look = 0; look < 1000; ++look) {
    const std::uint64_t count = layout::cnt0(*header_);
    const std::uint32_t index = layout::buffer_index(*header_);
    if (count == cnt0 + 1 && index == slot) {
      return Position{cnt0 + 1, slot};
    }
    if (index == next_slot && next_slot != slot && layout::cnt0(*header_) == cnt0) {
      return Position{cnt0, slot};
    }
    if (count != cnt0 || index != slot) {
      return std::nullopt;
    }
    if (!layout::is_writing(*header_) && layout::cnt0(*header_) == cnt0 &&
        layout::buffer_index(*header_) == slot) {
      return Position{cnt0, slot};
    }
  }
  return std::nullopt;
}

std::uint64_t CircularBuffer::oldest(Position newest) const noexcept {
  const std::uint64_t pushed =
      layout::load(header_->cb_cycle) * size() + layout::buffer_index(*header_);
  const auto behind = std::min<std::uint64_t>(
      {size() > 2 ? size() - 2U : 0U, pushed > 0 ? pushed - 1 : 0, newest.cnt0});
  return newest.cnt0 - behind;
}

bool CircularBuffer::is_untouched(std::uint64_t cnt0) const noexcept {
  // While the writer fills the slot of frame m, cnt0 is m - 1; and it fills this frame's slot again
  // as frame cnt0 + size. So the slot is untouched as long as the counter is below cnt0 + size - 1.
  // The counter is looked at after the copy: whoever saw a pixel of frame m sees the count m - 1,
  // since the writer's fence stands between the two.
  const std::uint64_t count = layout::cnt0(*header_);
  return count + 1 - cnt0 < std::uint64_t{size()} || cnt0 > count;
}

CircularBuffer::Found CircularBuffer::begin_read(Position known,
                                                 std::uint64_t cnt0) const noexcept {
  if (!is_untouched(cnt0)) {
    return {};
  }
  const std::uint64_t behind = (known.cnt0 - cnt0) % size();
  const auto index = static_cast<std::size_t>((known.slot + size() - behind) % size());
  // A label of this lap that is another frame's: a writer died after it had filled a slot, and one
  // that knows no labels went on. (A label of an older lap says nothing: such a writer leaves it.)
  const std::uint64_t label = layout::load(slots_[index].cnt0);
  const std::uint64_t distance = label > cnt0 ? label - cnt0 : cnt0 - label;
  if (label != 0 && distance != 0 && distance < size()) {
    return {};
  }
  return {frames_.subspan(index * frame_bytes_, frame_bytes_), cnt0, index, cnt0 == known.cnt0};
}

bool CircularBuffer::end_read(const Found& found, FrameInfo& info) const noexcept {
  const layout::CircularBufferSlot& slot = slots_[found.slot];
  info = {found.cnt0, layout::load(header_->cnt1), {}, {}};
  if (layout::load(slot.cnt0) == found.cnt0) {
    info = {found.cnt0, layout::load(slot.cnt1), to_tai(layout::load(slot.atime)),
            to_tai(layout::load(slot.writetime))};
  } else if (found.is_newest) {
    info.atime = to_tai(layout::load(header_->atime));
    info.writetime = to_tai(layout::load(header_->writetime));
  }
  layout::finish_copy();
  return is_untouched(found.cnt0);
}

bool CircularBuffer::holds_uncounted() const noexcept {
  const std::uint32_t slot = layout::buffer_index(*header_);
  return slot < size() && layout::load(slots_[slot].cnt0) == layout::cnt0(*header_) + 1;
}

}  // namespace shmim
