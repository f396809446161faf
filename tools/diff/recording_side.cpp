#include <utility>

#include <shmim/recording.hpp>

#include "diff/side.hpp"

namespace shmim::tools {
namespace {

class RecordingSide final : public Side {
 public:
  explicit RecordingSide(const std::string& file) : recording_(file) {}

  bool next(SideFrame& frame) override {
    if (next_ == recording_.frames()) {
      return false;
    }
    const RecordedStream& stream = recording_.stream();
    frame.type = stream.type;
    frame.shape = stream.shape;
    frame.pixels.resize(stream.frame_bytes());
    recording_.read(next_, frame.pixels);
    RecordedFrame known = recording_.frame(next_);
    frame.keywords = std::move(known.keywords);
    frame.cnt0 = known.info.cnt0;
    ++next_;
    return true;
  }
  [[nodiscard]] bool is_fits() const noexcept override { return true; }

 private:
  Recording recording_;
  std::uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Side> recording_side(const std::string& file) {
  return std::make_unique<RecordingSide>(file);
}

}  // namespace shmim::tools
