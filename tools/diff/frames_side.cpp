#include <utility>

#include <shmim/frames.hpp>

#include "diff/side.hpp"

namespace shmim::tools {
namespace {

class FramesSide final : public Side {
 public:
  explicit FramesSide(std::unique_ptr<Input> input)
      : input_(std::move(input)),
        reader_(input_->name(), [from = input_.get()](std::span<std::byte> room) {
          return from->read_some(room);
        }) {}

  bool next(SideFrame& frame) override {
    auto record = reader_.next();
    if (!record) {
      return false;
    }
    make_room(frame, record->type, record->shape, *input_);
    reader_.read(frame.pixels);
    frame.keywords = std::move(record->keywords);
    frame.cnt0 = record->info.cnt0 > 0 ? std::optional(record->info.cnt0) : std::nullopt;
    return true;
  }

 private:
  std::unique_ptr<Input> input_;
  FrameReader reader_;
};

}  // namespace

std::unique_ptr<Side> frames_side(std::unique_ptr<Input> input) {
  return std::make_unique<FramesSide>(std::move(input));
}

}  // namespace shmim::tools
