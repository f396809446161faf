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
    const std::uint64_t bytes = shape_.elements() * element_size(type_);
    if (input_->size() && bytes > *input_->size()) {
      end_within(*input_->size(), bytes);
    }
    frame.pixels.resize(bytes);
    if (const std::size_t filled = input_->read(frame.pixels); filled != bytes) {
      end_within(filled, bytes);
    }
    if (is_big_endian_) {
      swap_bytes(frame.pixels, type_);
    }
    frame.type = type_;
    frame.shape = shape_;
    frame.keywords.reset();
    frame.cnt0.reset();
    --frames_left_;
    return true;
  }

 private:
  [[noreturn]] void end_within(std::uint64_t there, std::uint64_t bytes) const {
    throw Error(
        Problem::failed, input_->name(),
        fmt::format("is cut short: of a frame of {} bytes there are {} at most", bytes, there));
  }

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
