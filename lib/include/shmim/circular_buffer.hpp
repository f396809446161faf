#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "shmim/export.hpp"
#include "shmim/frame_info.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// Takes what it wants of a frame. May be called again for the same frame, and may be shown a frame
/// that a writer is altering: it must not rely on any value, and its result counts only when the
/// call it was handed to says so.
using CopyFrame = std::function<void(std::span<const std::byte> frame)>;

/// The last frames of a stream, each in a slot of its own: a view, which keeps the stream mapped.
/// A reader can take a frame from here while the writer is busy with a later one.
///
/// Many programs write the array and leave the buffer as it is. So a slot is taken for a frame's
/// only where its number says so, as those that we wrote do, or where the buffer has moved as often
/// as the counter. All else is in the array alone.
class SHMIM_EXPORT CircularBuffer {
 public:
  CircularBuffer(const layout::Metadata& header, std::span<const layout::CircularBufferSlot> slots,
                 std::span<const std::byte> frames, std::size_t frame_bytes,
                 std::shared_ptr<const void> stream = {}) noexcept
      : header_(&header),
        slots_(slots),
        frames_(frames),
        frame_bytes_(frame_bytes),
        stream_(std::move(stream)) {}

  /// Frames it holds; 0 where the stream has none.
  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(slots_.size());
  }

  /// A frame and the slot it was found in.
  struct Position {
    std::uint64_t cnt0 = 0;
    std::uint32_t slot = 0;
    /// Every frame has gone through the buffer: those before this one are in the slots before.
    bool has_all = false;
  };
  /// The frame that cnt0 counts, found without waiting for the writer; nullopt if it is not in the
  /// buffer, or cannot be told to be.
  [[nodiscard]] std::optional<Position> newest() const noexcept;
  /// The oldest frame after `cnt0` that is there, with room for a writer at work.
  [[nodiscard]] std::optional<Position> first_after(std::uint64_t cnt0) const noexcept;

  /// Hands frame `cnt0`, given where a frame is known to be, to `copy`, which is called with its
  /// bytes; true if the writer cannot have touched the frame meanwhile. False: too old, or
  /// overtaken while copying; then what `copy` did is worth nothing.
  template <class Copy>
  requires std::invocable<Copy&, std::span<const std::byte>>
  [[nodiscard]] bool read(Position known, std::uint64_t cnt0, Copy&& copy, FrameInfo& info) const {
    const Found found = begin_read(known, cnt0);
    if (found.frame.empty()) {
      return false;
    }
    copy(found.frame);
    return end_read(found, info);
  }
  /// A frame in its slot, where a writer may be about to overwrite it.
  struct Found {
    std::span<const std::byte> frame;
    std::uint64_t cnt0 = 0;
    std::uint32_t slot = 0;
    bool is_numbered = false;
    bool is_newest = false;
  };
  /// The two halves of read(), before and after the copy. A frame that is too old is empty.
  [[nodiscard]] Found begin_read(Position known, std::uint64_t cnt0) const noexcept;
  [[nodiscard]] bool end_read(const Found& found, FrameInfo& info) const noexcept;

  /// Oldest frame that read() can be expected to give, with room for a writer at work.
  [[nodiscard]] std::uint64_t oldest(Position newest) const noexcept;

  /// True where a writer of ours has filled the newest slot with a frame that it has not counted:
  /// it is about to, or died before it did.
  [[nodiscard]] bool holds_uncounted() const noexcept;

 private:
  [[nodiscard]] bool is_untouched(std::uint64_t cnt0) const noexcept;
  [[nodiscard]] bool is_frame(std::uint64_t cnt0, std::uint32_t slot, bool has_all) const noexcept;
  /// The slot that many frames before.
  [[nodiscard]] std::uint32_t slot_before(std::uint32_t slot, std::uint64_t frames) const noexcept;
  const layout::Metadata* header_;
  std::span<const layout::CircularBufferSlot> slots_;
  std::span<const std::byte> frames_;
  std::size_t frame_bytes_;
  std::shared_ptr<const void> stream_;
};

}  // namespace shmim
