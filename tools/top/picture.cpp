#include "top/picture.hpp"

#include <algorithm>
#include <cmath>

namespace shmim::tools {
namespace {

/// Every so-many-th element, so that at most `room` are left.
AxisSlice thinned(std::uint32_t length, int room) {
  AxisSlice axis;
  const auto most = static_cast<std::uint32_t>(std::max(room, 1));
  axis.step = (length + most - 1) / most;
  return axis;
}

/// What of a frame is looked at: of a cube one plane.
Slice slice_of(const Stream& stream, int width, int height) {
  const Format& format = stream.format();
  Slice slice;
  slice.push_back(thinned(format.shape[0], width));
  if (format.shape.axes() > 1) {
    slice.push_back(thinned(format.shape[1], height));
  }
  if (format.shape.axes() > 2) {
    AxisSlice plane;
    plane.single = true;
    plane.first =
        static_cast<std::int64_t>(format.is_circular() ? stream.cnt1() % format.shape[2] : 0);
    plane.last = plane.first;
    slice.push_back(plane);
  }
  return slice;
}

void cut(Picture& picture, const std::vector<double>& values, const Cuts& cuts) {
  picture.low = cuts.low;
  picture.high = cuts.high;
  if (cuts.kind == Cuts::Kind::fixed) {
    return;
  }
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](double value) { return std::isfinite(value); });
  if (finite.empty()) {
    return;
  }
  std::sort(finite.begin(), finite.end());
  const std::size_t margin = cuts.kind == Cuts::Kind::percentile ? finite.size() / 100 : 0;
  picture.low = finite[margin];
  picture.high = finite[finite.size() - 1 - margin];
}

}  // namespace

std::optional<Picture> picture_of(const Stream& stream, int width, int height, const Cuts& cuts,
                                  unsigned shades) {
  if (width < 1 || height < 1 || shades < 2 || stream.format().location != -1) {
    return std::nullopt;
  }
  const Selection selection(slice_of(stream, width, height), stream.format().shape,
                            stream.format().type);
  std::vector<std::byte> small(selection.bytes());
  const Snapshot snapshot =
      stream.snapshot([&](std::span<const std::byte> frame) { selection.take(frame, small); },
                      deadline_after(std::chrono::milliseconds{5}));
  if (snapshot.state != FrameState::whole) {
    return std::nullopt;
  }
  const std::vector<double> values = values_of(small, stream.format().type);
  Picture picture;
  picture.width = static_cast<int>(selection.shape()[0]);
  picture.height = selection.shape().axes() > 1 ? static_cast<int>(selection.shape()[1]) : 1;
  picture.cnt0 = snapshot.info.cnt0;
  cut(picture, values, cuts);
  const double span = picture.high - picture.low;
  for (const double value : values) {
    const double bright = span > 0 ? (value - picture.low) / span : value > picture.low ? 1 : 0;
    // Not a number is black: comparisons with it are false.
    const double level = bright > 0 ? std::min(bright, 1.0) * (shades - 1) : 0;
    picture.pixels.push_back(static_cast<unsigned>(std::lround(level)));
  }
  return picture;
}

}  // namespace shmim::tools
