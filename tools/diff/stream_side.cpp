#include <utility>

#include <shmim/fits.hpp>

#include "diff/side.hpp"

namespace shmim::tools {
namespace {

class StreamSide final : public Side {
 public:
  StreamSide(Stream stream, const Slice& slice)
      : stream_(std::move(stream)),
        is_of_plane_(takes_newest_plane(slice, stream_.format())),
        selection_(selection_of(slice, stream_.format(), is_of_plane_)) {}

  bool next(SideFrame& frame) override {
    if (std::exchange(is_taken_, true)) {
      return false;
    }
    frame.type = selection_.type();
    frame.shape = selection_.shape();
    frame.pixels.resize(selection_.bytes());
    const Snapshot snapshot = stream_.take_whole(selection_, is_of_plane_, frame.pixels,
                                                 deadline_after(std::chrono::seconds{1}));
    frame.keywords = move_world(stream_.keywords().all(), selection_);
    frame.cnt0 = snapshot.info.cnt0;
    return true;
  }

 private:
  Stream stream_;
  bool is_of_plane_;
  Selection selection_;
  bool is_taken_ = false;
};

}  // namespace

std::unique_ptr<Side> stream_side(Stream stream, const Slice& slice) {
  return std::make_unique<StreamSide>(std::move(stream), slice);
}

}  // namespace shmim::tools
