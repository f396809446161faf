// Pixels, frame behind frame.

#include <utility>

#include <fmt/format.h>

#include "common/io/pipe.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

class RawFrames final : public FrameSource {
 public:
  explicit RawFrames(std::unique_ptr<Input> input) : input_(std::move(input)) {}

  void wait() override { input_->wait(); }

  bool next(std::span<std::byte> frame) override {
    const std::size_t filled = input_->read(frame);
    if (filled != 0 && filled != frame.size()) {
      throw Error(Problem::failed, input_->name(),
                  fmt::format("ends after {} of the {} bytes of a frame, which was not published",
                              filled, frame.size()));
    }
    return filled != 0;
  }

  bool rewind() override { return input_->rewind(); }

 private:
  std::unique_ptr<Input> input_;
};

}  // namespace

std::unique_ptr<FrameSource> raw_frames(std::unique_ptr<Input> input, const FrameKind& kind) {
  if (input->size().value_or(0) % kind.bytes() != 0) {
    throw Error(Problem::failed, input->name(),
                fmt::format("its {} bytes are no whole number of frames, of {} bytes each",
                            *input->size(), kind.bytes()));
  }
  widen_pipe(input->descriptor(), kind.bytes());
  return std::make_unique<RawFrames>(std::move(input));
}

}  // namespace shmim::tools
