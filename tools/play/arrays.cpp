// Arrays of NumPy, one behind the other.

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "common/print/npy.hpp"
#include "play/playable.hpp"

namespace shmim::tools {
namespace {

class ArraysFile final : public Playable {
 public:
  explicit ArraysFile(const std::string& file)
      : file_(file), descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_.get() < 0) {
      throw Error::system(file, "cannot be read", errno);
    }
    static_cast<void>(begin_array());
    array_ = shape_of_array();
    stream_.type = *header_.type;
    stream_.shape = usual_frame(array_);
    rewind();
  }

  void take_shape(const Shape& shape) override {
    if (frames_of_shape(array_, shape)) {
      stream_.shape = shape;
    }
  }

  std::optional<RecordedFrame> next() override {
    if (frames_left_ == 0) {
      if (!begin_array()) {
        return std::nullopt;
      }
      const Shape shape = shape_of_array();
      const auto frames = frames_of_shape(shape, stream_.shape);
      if (*header_.type != stream_.type || !frames) {
        throw Error(Problem::mismatch, file_,
                    fmt::format("has an array of {} {}, and the first has frames of {} {}",
                                to_string(*header_.type), to_string(shape), to_string(stream_.type),
                                to_string(stream_.shape)));
      }
      frames_left_ = *frames;
    }
    --frames_left_;
    pixels_ = end_;
    end_ += static_cast<off_t>(stream_.frame_bytes());
    RecordedFrame frame;
    frame.info.cnt0 = ++count_;
    return frame;
  }

  void read(std::span<std::byte> pixels) override {
    if (const std::size_t got = read_at(pixels_, pixels); got != pixels.size()) {
      refuse(fmt::format("ends after {} of the {} bytes of frame {}; its header promised {} more",
                         got, pixels.size(), count_, frames_left_));
    }
    if (header_.is_big_endian) {
      swap_numbers(pixels, stream_.type);
    }
  }

  void rewind() override {
    frames_left_ = 0;
    count_ = 0;
    end_ = 0;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Problem::failed, file_, why);
  }

  /// Gives how much there is.
  std::size_t read_at(off_t offset, std::span<std::byte> bytes) const {
    if (::lseek(descriptor_.get(), offset, SEEK_SET) < 0) {
      throw Error::system(file_, "cannot be read", errno);
    }
    std::size_t filled = 0;
    while (filled < bytes.size()) {
      const std::size_t got = read_some(descriptor_.get(), bytes.subspan(filled), file_);
      if (got == 0) {
        break;
      }
      filled += got;
    }
    return filled;
  }

  /// Reads the next header; false at the end.
  bool begin_array() {
    std::string text(npy_start_bytes, '\0');
    text.resize(read_at(end_, std::as_writable_bytes(std::span(text))));
    if (text.empty()) {
      return false;
    }
    const auto bytes = npy_header_bytes(text);
    if (!bytes) {
      refuse(fmt::format("what stands at byte {} is not the header of an npy array", end_));
    }
    text.resize(*bytes);
    text.resize(read_at(end_, std::as_writable_bytes(std::span(text))));
    const auto header = parse_npy_header(text);
    if (text.size() < *bytes || !header) {
      refuse("the header of its npy array cannot be read");
    }
    if (header->is_fortran) {
      refuse(
          "is an npy array in Fortran order, whose frames do not stand one behind the other; save "
          "numpy.ascontiguousarray(array)");
    }
    header_ = *header;
    end_ += static_cast<off_t>(*bytes);
    return true;
  }

  [[nodiscard]] Shape shape_of_array() const {
    const auto fits = [](std::uint64_t length) { return 0 < length && length <= UINT32_MAX; };
    if (!header_.type || header_.axes.empty() || header_.axes.size() > layout::max_axes ||
        !std::ranges::all_of(header_.axes, fits)) {
      refuse(fmt::format("is an array of {} and the shape ({}), which no stream can be",
                         header_.descr, fmt::join(header_.axes, ", ")));
    }
    return Shape(std::vector<std::uint32_t>(header_.axes.rbegin(), header_.axes.rend()));
  }

  std::string file_;
  FileDescriptor descriptor_;
  NpyArray header_;  ///< of the array that frames are read from
  Shape array_;      ///< the first
  std::uint64_t frames_left_ = 0;
  std::uint64_t count_ = 0;
  off_t pixels_ = 0;  ///< where those of the frame are
  off_t end_ = 0;     ///< and what comes behind them
};

}  // namespace

std::unique_ptr<Playable> play_arrays(const std::string& file) {
  return std::make_unique<ArraysFile>(file);
}

}  // namespace shmim::tools
