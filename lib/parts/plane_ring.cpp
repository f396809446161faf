#include "shmim/plane_ring.hpp"

#include <algorithm>

namespace shmim {

std::optional<PlaneRing::Found> PlaneRing::newest() const noexcept {
  return find(layout::cnt0(*header_));
}

std::optional<PlaneRing::Found> PlaneRing::first_after(std::uint64_t cnt0) const noexcept {
  const std::uint64_t count = layout::cnt0(*header_);
  if (cnt0 >= count) {
    return find(count);  // the count went back
  }
  // A writer at work overwrites the oldest.
  const std::uint64_t kept = planes_ > 1 && layout::is_writing(*header_) ? planes_ - 1 : planes_;
  const std::uint64_t gone = count > kept ? count - kept : 0;
  for (std::uint64_t frame = std::max(cnt0, gone) + 1; frame <= count; ++frame) {
    if (auto found = find(frame)) {
      return found;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> PlaneRing::plane_in_turn(std::uint64_t cnt0) const noexcept {
  // cnt1 is of the frame that is counted while nobody writes: between the two it is one ahead.
  const std::uint64_t count = layout::cnt0(*header_);
  const std::uint64_t newest = layout::load(header_->cnt1) % planes_;
  layout::finish_copy();
  if (layout::is_writing(*header_) || layout::cnt0(*header_) != count || cnt0 > count) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>((newest + planes_ - (count - cnt0) % planes_) % planes_);
}

std::optional<PlaneRing::Found> PlaneRing::find(std::uint64_t cnt0) const noexcept {
  const std::uint64_t count = layout::cnt0(*header_);
  if (planes_ == 0 || cnt0 == 0 || cnt0 > count || count - cnt0 >= planes_) {
    return std::nullopt;
  }
  const auto in_turn = plane_in_turn(cnt0);
  const auto counts = regions_.count;
  const auto has = [&](std::uint64_t frame) {
    return std::ranges::find_if(
        counts, [&](const std::uint64_t& number) { return layout::load(number) == frame; });
  };
  const auto counted = has(cnt0);
  Found found;
  found.cnt0 = cnt0;
  found.count = count;
  found.is_counted = counted != counts.end();
  if (found.is_counted) {
    found.plane = static_cast<std::uint32_t>(counted - counts.begin());
    const std::uint64_t before = layout::load(counts[(found.plane + planes_ - 1) % planes_]);
    found.is_in_turn = before + 1 == cnt0;
  } else if (in_turn && has(count) == counts.end()) {  // nobody fills cntarray
    found.plane = *in_turn;
    found.is_in_turn = true;
  } else {
    return std::nullopt;
  }
  const std::size_t bytes = regions_.array.size() / planes_;
  found.frame = regions_.array.subspan(found.plane * bytes, bytes);
  return found;
}

bool PlaneRing::is_untouched(const Found& found) const noexcept {
  // Frame m goes to the plane of frame m - planes_, and is written while cnt0 is m - 1 and the flag
  // is up. Both are looked at after the copy: whoever saw a pixel of frame m sees the flag, or the
  // count that ends it.
  const bool is_writing = layout::is_writing(*header_);
  const std::uint64_t count = layout::cnt0(*header_);
  if (!found.is_in_turn) {
    return count == found.count && !is_writing;  // the next may go to any plane
  }
  const std::uint64_t behind = count - found.cnt0;
  return behind + 1 < planes_ || (behind + 1 == planes_ && !is_writing);
}

bool PlaneRing::end_read(const Found& found, FrameInfo& info) const noexcept {
  info = {found.cnt0, found.plane, {}, {}};
  if (found.is_counted) {
    info.atime = to_tai(layout::load(regions_.atime[found.plane]));
    info.writetime = to_tai(layout::load(regions_.writetime[found.plane]));
  } else if (found.cnt0 == found.count) {
    info.atime = to_tai(layout::load(header_->atime));
    info.writetime = to_tai(layout::load(header_->writetime));
    info.accesstime = to_tai(layout::load(header_->lastaccesstime));
  }
  layout::finish_copy();
  return is_untouched(found) &&
         (!found.is_counted || layout::load(regions_.count[found.plane]) == found.cnt0);
}

}  // namespace shmim
