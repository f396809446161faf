#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "shmim/export.hpp"
#include "shmim/frame_info.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// The planes of a stream in which z is time: each is a frame, and the array holds the last of
/// them. A view, which keeps the stream mapped.
///
/// Which plane has which frame is told by cntarray, where the stream has one and its writer fills
/// it, and elsewhere by cnt1, with the planes written in turn. A writer that writes them in another
/// order and fills no cntarray cannot be read so.
class SHMIM_EXPORT PlaneRing {
 public:
  /// The regions of a file that belong to it; those of the times and counts may be empty.
  struct Regions {
    std::span<const std::byte> array;
    std::span<const layout::Timespec> atime;
    std::span<const layout::Timespec> writetime;
    std::span<const std::uint64_t> count;
  };
  PlaneRing(const layout::Metadata& header, std::uint32_t planes, const Regions& regions,
            std::shared_ptr<const void> stream = {}) noexcept
      : header_(&header), planes_(planes), regions_(regions), stream_(std::move(stream)) {}

  /// The same view, which keeps what it is given.
  [[nodiscard]] PlaneRing kept_by(std::shared_ptr<const void> stream) const noexcept {
    return {*header_, planes_, regions_, std::move(stream)};
  }

  /// Frames it holds at most; 0 where z is not time.
  [[nodiscard]] std::uint32_t size() const noexcept { return planes_; }

  /// A frame in its plane, where a writer may be about to overwrite it.
  struct Found {
    std::span<const std::byte> frame;
    std::uint64_t cnt0 = 0;
    std::uint32_t plane = 0;
    bool is_counted = false;  ///< by cntarray
    bool is_in_turn = false;  ///< behind the frame before, so that the next one spares it
    std::uint64_t count = 0;  ///< cnt0 of the stream when it was found
  };
  /// The newest frame; nullopt if there is none, or none can be told from the others now.
  [[nodiscard]] std::optional<Found> newest() const noexcept;
  /// The oldest frame after `cnt0` that is there; nullopt as newest(), or where that one is gone.
  [[nodiscard]] std::optional<Found> first_after(std::uint64_t cnt0) const noexcept;
  /// True if no writer can have touched the frame since it was found. False: what was read of it is
  /// worth nothing.
  [[nodiscard]] bool end_read(const Found& found, FrameInfo& info) const noexcept;

 private:
  [[nodiscard]] std::optional<Found> find(std::uint64_t cnt0) const noexcept;
  [[nodiscard]] bool is_untouched(const Found& found) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> plane_in_turn(std::uint64_t cnt0) const noexcept;
  const layout::Metadata* header_;
  std::uint32_t planes_;
  Regions regions_;
  std::shared_ptr<const void> stream_;
};

}  // namespace shmim
