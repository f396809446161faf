// Arrays of NumPy: one frame each, or with an axis more several.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <shmim/element.hpp>

#include "common/io/pipe.hpp"
#include "common/print/npy_reader.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

[[noreturn]] void refuse(const Input& input, const std::string& why) {
  throw Error(Problem::failed, input.name(), why);
}

class NpyFrames final : public FrameSource {
 public:
  NpyFrames(std::unique_ptr<Input> input, const FrameKind& kind)
      : input_(std::move(input)), kind_(kind) {}

  void wait() override { input_->wait(); }

  bool next(std::span<std::byte> frame) override {
    while (frames_left_ == 0) {
      if (!begin_array()) {
        return false;
      }
    }
    const std::size_t filled = input_->read(frame);
    if (filled != frame.size()) {
      refuse(*input_,
             fmt::format("ends after {} of the {} bytes of a frame, which was not published; its "
                         "header promised {} more",
                         filled, frame.size(), frames_left_));
    }
    --frames_left_;
    if (is_big_endian_) {
      swap_bytes(frame, kind_.type);
    }
    return true;
  }

  bool rewind() override {
    frames_left_ = 0;
    return input_->rewind();
  }

  /// Of a regular file, which can be looked at before it has an effect.
  void check_size() {
    if (!begin_array() || !input_->size()) {
      return;
    }
    const std::uint64_t there = *input_->size() - header_bytes_;
    if (there / kind_.bytes() < frames_left_) {
      refuse(*input_, fmt::format("has {} bytes behind its header, which promises {}", there,
                                  frames_left_ == 1 ? fmt::format("a frame of {}", kind_.bytes())
                                                    : fmt::format("{} frames of {} each",
                                                                  frames_left_, kind_.bytes())));
    }
  }

 private:
  /// Reads the next header; false at the end.
  bool begin_array() {
    const auto header = peek_npy_header(*input_);
    if (!header) {
      return false;
    }
    input_->skip(header->bytes);
    header_bytes_ = header->bytes;
    const NpyArray& array = header->array;
    check(array);
    is_big_endian_ = array.is_big_endian;
    frames_left_ = array.axes.size() > kind_.shape.axes() ? array.axes.front() : 1;
    return true;
  }

  void check(const NpyArray& array) const {
    const std::vector<std::uint64_t> axes = npy_axes(kind_.shape);
    const bool is_several = array.axes.size() == axes.size() + 1 &&
                            std::equal(axes.begin(), axes.end(), array.axes.begin() + 1);
    std::vector<std::string> differing;
    if (array.type != kind_.type) {
      differing.push_back(fmt::format(
          "type is {}, not {}", array.type ? std::string(to_string(*array.type)) : array.descr,
          to_string(kind_.type)));
    }
    if (array.axes != axes && !is_several) {
      std::vector<std::uint64_t> size(array.axes.rbegin(), array.axes.rend());
      differing.push_back(
          fmt::format("size is {}, not {}",
                      size.empty() ? "that of one number" : fmt::format("{}", fmt::join(size, "x")),
                      to_string(kind_.shape)));
    }
    if (!differing.empty()) {
      throw Error(Problem::mismatch, input_->name(), fmt::format("{}", fmt::join(differing, "; ")));
    }
    require_c_order(*input_, array);
  }

  std::unique_ptr<Input> input_;
  FrameKind kind_;
  std::uint64_t frames_left_ = 0;  ///< of the array
  std::size_t header_bytes_ = 0;
  bool is_big_endian_ = false;
};

}  // namespace

Format format_of_npy(Input& input) {
  const auto header = peek_npy_header(input);
  if (!header) {
    refuse(input, "ended without a frame");
  }
  const NpyArray& array = header->array;
  Format format;
  format.type = require_npy_type(input, array);
  const std::vector<std::uint32_t> shape(array.axes.rbegin(), array.axes.rend());
  format.shape = Shape(shape);
  return format;
}

std::unique_ptr<FrameSource> npy_frames(std::unique_ptr<Input> input, const FrameKind& kind) {
  widen_pipe(input->descriptor(), kind.bytes());
  auto frames = std::make_unique<NpyFrames>(std::move(input), kind);
  frames->check_size();
  return frames;
}

}  // namespace shmim::tools
