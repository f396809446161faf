#include "shmim/circular_buffer.hpp"

#include <algorithm>

namespace shmim {
namespace {

/// What a slot says of the frame it holds.
enum class Says {
  this_one,
  another,
  nothing,  ///< filled by a program of the C library, which leaves the number that it finds
};

Says what_it_says(std::uint64_t number, std::uint64_t cnt0, std::uint32_t size) noexcept {
  if (number == cnt0) {
    return Says::this_one;
  }
  const std::uint64_t distance = number > cnt0 ? number - cnt0 : cnt0 - number;
  const bool is_of_an_older_lap = number < cnt0 && distance >= size;
  return number == 0 || is_of_an_older_lap ? Says::nothing : Says::another;
}

/// Of the newest slot: one of ours fills it, or has filled it, with the next frame. That may be
/// more than one ahead, since the lost are counted with the frame behind them.
bool is_uncounted(std::uint64_t number, std::uint64_t cnt0) noexcept { return number > cnt0; }
static_assert(layout::being_filled == UINT64_MAX);

}  // namespace

std::optional<CircularBuffer::Position> CircularBuffer::newest() const noexcept {
  if (size() < 2) {
    return std::nullopt;  // one slot is filled whenever the array is: no frame in it lasts
  }
  // Between the slot and the count of a frame of the C library, only what moves next tells how
  // many frames have gone through the buffer. While its flag is up the array is no use either.
  const int looks = layout::is_writing(*header_) ? 20'000 : 200;
  for (int look = 0; look < looks; ++look) {
    const std::uint64_t cnt0 = layout::cnt0(*header_);
    const std::uint64_t cycle = layout::load(header_->cb_cycle);
    const std::uint32_t index = layout::buffer_index(*header_);
    if (index >= size() || cnt0 == 0) {
      return std::nullopt;
    }
    const std::uint64_t pushed = cycle * size() + index;
    const std::uint64_t number = layout::number_in(slots_[index]);
    if (number == cnt0) {
      return Position{cnt0, index, pushed == cnt0};
    }
    // The frame after it is in its slot, and not counted yet.
    const std::uint32_t before = slot_before(index, 1);
    const std::uint64_t number_before = layout::number_in(slots_[before]);
    if (number_before == cnt0) {
      return Position{cnt0, before, pushed == cnt0 + 1};
    }
    const bool has_moved = layout::cnt0(*header_) != cnt0 ||
                           layout::buffer_index(*header_) != index ||
                           layout::load(header_->cb_cycle) != cycle;
    if (has_moved) {
      continue;
    }
    if (pushed == cnt0 && what_it_says(number, cnt0, size()) == Says::nothing) {
      return Position{cnt0, index, true};
    }
    if (pushed == cnt0 + 1 && is_uncounted(number, cnt0) &&
        what_it_says(number_before, cnt0, size()) == Says::nothing) {
      return Position{cnt0, before, true};
    }
    // One ahead; or a lap and more, between the two steps that begin one.
    if (pushed != cnt0 + 1 && pushed < cnt0 + size()) {
      return std::nullopt;  // somebody counted frames that did not go through the buffer
    }
  }
  return std::nullopt;
}

std::uint32_t CircularBuffer::slot_before(std::uint32_t slot, std::uint64_t frames) const noexcept {
  return static_cast<std::uint32_t>((slot + size() - frames % size()) % size());
}

std::uint64_t CircularBuffer::oldest(Position newest) const noexcept {
  const std::uint64_t pushed =
      layout::load(header_->cb_cycle) * size() + layout::buffer_index(*header_);
  const auto behind = std::min<std::uint64_t>(
      {size() > 2 ? size() - 2U : 0U, pushed > 0 ? pushed - 1 : 0, newest.cnt0});
  return newest.cnt0 - behind;
}

std::optional<CircularBuffer::Position> CircularBuffer::first_after(
    std::uint64_t cnt0) const noexcept {
  const auto known = newest();
  if (known) {
    for (std::uint64_t frame = std::max(cnt0 + 1, oldest(*known)); frame <= known->cnt0; ++frame) {
      const std::uint32_t slot = slot_before(known->slot, known->cnt0 - frame);
      if (is_frame(frame, slot, known->has_all)) {
        return Position{frame, slot, known->has_all};
      }
      if (!known->has_all) {
        break;  // frames that did not go through the buffer lie between
      }
    }
  }
  std::optional<Position> first;
  for (std::uint32_t slot = 0; slot < size(); ++slot) {
    const std::uint64_t number = layout::number_in(slots_[slot]);
    if (number > cnt0 && number <= layout::cnt0(*header_) && is_untouched(number) &&
        (!first || number < first->cnt0)) {
      first = {number, slot, false};
    }
  }
  return first;
}

bool CircularBuffer::is_frame(std::uint64_t cnt0, std::uint32_t slot, bool has_all) const noexcept {
  const Says says = what_it_says(layout::number_in(slots_[slot]), cnt0, size());
  return says == Says::this_one || (has_all && says == Says::nothing);
}

bool CircularBuffer::is_untouched(std::uint64_t cnt0) const noexcept {
  // While the writer fills the slot of frame m, cnt0 is m - 1; and it fills this frame's slot again
  // as frame cnt0 + size at the soonest. So the slot is untouched as long as the counter is below
  // cnt0 + size - 1. The counter is looked at after the copy: whoever saw a pixel of frame m sees
  // the count m - 1, since the writer's fence stands between the two.
  const std::uint64_t count = layout::cnt0(*header_);
  return count + 1 - cnt0 < std::uint64_t{size()} || cnt0 > count;
}

CircularBuffer::Found CircularBuffer::begin_read(Position known,
                                                 std::uint64_t cnt0) const noexcept {
  if (!is_untouched(cnt0)) {
    return {};
  }
  const std::uint32_t slot = slot_before(known.slot, known.cnt0 - cnt0);
  if (!is_frame(cnt0, slot, known.has_all)) {
    return {};
  }
  return {frames_.subspan(slot * frame_bytes_, frame_bytes_), cnt0, slot,
          layout::load(slots_[slot].cnt0) == cnt0, layout::cnt0(*header_) == cnt0};
}

bool CircularBuffer::end_read(const Found& found, FrameInfo& info) const noexcept {
  const layout::CircularBufferSlot& slot = slots_[found.slot];
  info = {found.cnt0, layout::load(header_->cnt1), {}, {}};
  if (found.is_numbered) {
    info = {found.cnt0, layout::load(slot.cnt1), to_tai(layout::load(slot.atime)),
            to_tai(layout::load(slot.writetime))};
  } else if (found.is_newest) {
    info.atime = to_tai(layout::load(header_->atime));
    info.writetime = to_tai(layout::load(header_->writetime));
  }
  layout::finish_copy();
  return is_untouched(found.cnt0) && (!found.is_numbered || layout::load(slot.cnt0) == found.cnt0);
}

bool CircularBuffer::holds_uncounted() const noexcept {
  const std::uint32_t index = layout::buffer_index(*header_);
  return index < size() && is_uncounted(layout::number_in(slots_[index]), layout::cnt0(*header_));
}

}  // namespace shmim
