#include <utility>

#include <fmt/format.h>

#include "common/print/npy_reader.hpp"
#include "diff/side.hpp"

namespace shmim::tools {
namespace {

class NpySide final : public Side {
 public:
  NpySide(std::unique_ptr<Input> input, Reading reading)
      : input_(std::move(input)), reading_(reading) {}

  bool next(SideFrame& frame) override {
    while (frames_left_ == 0) {
      if (!begin_array()) {
        return false;
      }
    }
    make_room(frame, type_, shape_, *input_);
    if (const std::size_t filled = input_->read(frame.pixels); filled != frame.pixels.size()) {
      throw Error(Problem::failed, input_->name(),
                  fmt::format("ends within a frame: of {} bytes there are {}", frame.pixels.size(),
                              filled));
    }
    if (is_big_endian_) {
      swap_bytes(frame.pixels, type_);
    }
    frame.keywords.reset();
    frame.cnt0.reset();
    --frames_left_;
    return true;
  }

 private:
  /// Reads the next header; false at the end.
  bool begin_array() {
    const auto header = peek_npy_header(*input_);
    if (!header) {
      return false;
    }
    input_->skip(header->bytes);
    const NpyArray& array = header->array;
    const bool is_several = reading_ == Reading::frames && array.axes.size() >= layout::max_axes;
    type_ = require_npy_type(*input_, array, is_several ? 1 : 0);
    require_c_order(*input_, array);
    frames_left_ = is_several ? array.axes.front() : 1;
    const std::vector<std::uint32_t> axes(array.axes.rbegin(),
                                          array.axes.rend() - (is_several ? 1 : 0));
    shape_ = Shape(axes);
    is_big_endian_ = array.is_big_endian;
    return true;
  }

  std::unique_ptr<Input> input_;
  Reading reading_;
  DataType type_ = DataType::uint8;
  Shape shape_;
  std::uint64_t frames_left_ = 0;  ///< of the array
  bool is_big_endian_ = false;
};

}  // namespace

std::unique_ptr<Side> npy_side(std::unique_ptr<Input> input, Reading reading) {
  return std::make_unique<NpySide>(std::move(input), reading);
}

}  // namespace shmim::tools
