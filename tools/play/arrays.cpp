// Arrays of NumPy, one behind the other.

#include <vector>

#include <fmt/format.h>

#include "common/io/input.hpp"
#include "common/print/npy_reader.hpp"
#include "play/playable.hpp"

namespace shmim::tools {
namespace {

class ArraysFile final : public Playable {
 public:
  explicit ArraysFile(const std::string& file) : input_(file) {
    if (const auto header = peek_npy_header(input_)) {
      recorded().type = require_npy_type(input_, header->array);
      array_ = shape_of(header->array);
      recorded().shape = usual_frame(array_);
    }
  }

  void take_shape(const Shape& shape) override {
    if (frames_of_shape(array_, shape)) {
      recorded().shape = shape;
    }
  }

  std::optional<RecordedFrame> next() override {
    if (is_unread_) {
      passed_over_.resize(recorded().frame_bytes());
      read(passed_over_);
    }
    if (frames_left_ == 0 && !begin_array()) {
      return std::nullopt;
    }
    --frames_left_;
    is_unread_ = true;
    RecordedFrame frame;
    frame.info.cnt0 = ++count_;
    return frame;
  }

  void read(std::span<std::byte> pixels) override {
    is_unread_ = false;
    if (const std::size_t got = input_.read(pixels); got != pixels.size()) {
      throw Error(Problem::failed, input_.name(),
                  fmt::format("ends after {} of the {} bytes of frame {}; its header promised {} "
                              "more",
                              got, pixels.size(), count_, frames_left_));
    }
    if (is_big_endian_) {
      swap_bytes(pixels, recorded().type);
    }
  }

  void rewind() override {
    static_cast<void>(input_.rewind());  // a regular file always can
    is_unread_ = false;
    frames_left_ = 0;
    count_ = 0;
  }

 private:
  static Shape shape_of(const NpyArray& array) {
    return Shape(std::vector<std::uint32_t>(array.axes.rbegin(), array.axes.rend()));
  }

  /// Reads the next header; false at the end.
  bool begin_array() {
    const auto header = peek_npy_header(input_);
    if (!header) {
      return false;
    }
    const DataType type = require_npy_type(input_, header->array);
    require_c_order(input_, header->array);
    const Shape shape = shape_of(header->array);
    const auto frames = frames_of_shape(shape, recorded().shape);
    if (type != recorded().type || !frames) {
      throw Error(
          Problem::mismatch, input_.name(),
          fmt::format("has an array of {} {}, and the first has frames of {} {}", to_string(type),
                      to_string(shape), to_string(recorded().type), to_string(recorded().shape)));
    }
    input_.skip(header->bytes);
    frames_left_ = *frames;
    is_big_endian_ = header->array.is_big_endian;
    return true;
  }

  Input input_;
  Shape array_;  ///< the first
  std::uint64_t frames_left_ = 0;
  std::uint64_t count_ = 0;
  bool is_unread_ = false;  ///< the pixels of the frame that next() gave
  bool is_big_endian_ = false;
  std::vector<std::byte> passed_over_;
};

}  // namespace

std::unique_ptr<Playable> play_arrays(const std::string& file) {
  return std::make_unique<ArraysFile>(file);
}

}  // namespace shmim::tools
