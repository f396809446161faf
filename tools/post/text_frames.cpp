// Numbers, as shmim-cat writes them.

#include <utility>

#include "common/print/frame_parser.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

class TextFrames final : public FrameSource {
 public:
  TextFrames(std::unique_ptr<Input> input, const FrameKind& kind)
      : input_(std::move(input)), kind_(kind), parser_(input_->name(), kind.type, kind.shape) {}

  void wait() override {
    do {
      input_->skip(parser_.skip_blanks(input_->text_ahead()));
    } while (input_->ahead().empty() && input_->read_ahead(piece));
  }

  bool next(std::span<std::byte> frame) override {
    parser_.begin_frame();
    do {
      input_->skip(parser_.take(input_->text_ahead(), frame));
      if (parser_.is_complete()) {
        return true;
      }
    } while (input_->read_ahead(piece));
    parser_.end(frame);
    return parser_.is_complete();
  }

  bool rewind() override {
    parser_ = FrameParser(input_->name(), kind_.type, kind_.shape);
    return input_->rewind();
  }

 private:
  static constexpr std::size_t piece = std::size_t{64} << 10;
  std::unique_ptr<Input> input_;
  FrameKind kind_;
  FrameParser parser_;
};

}  // namespace

std::unique_ptr<FrameSource> text_frames(std::unique_ptr<Input> input, const FrameKind& kind) {
  return std::make_unique<TextFrames>(std::move(input), kind);
}

}  // namespace shmim::tools
