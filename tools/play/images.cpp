// FITS files that are no recordings.

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "play/playable.hpp"

namespace shmim::tools {
namespace {

class ImagesFile final : public Playable {
 public:
  explicit ImagesFile(const std::string& file) : file_(file), images_(open_fits_images(file)) {
    const Format first = images_.front()->format();
    recorded().type = first.type;
    take_shape(usual_frame(first.shape));
  }

  void take_shape(const Shape& shape) override {
    if (frames_of_shape(images_.front()->format().shape, shape)) {
      recorded().shape = shape;
    }
  }

  std::optional<RecordedFrame> next() override {
    if (frame_ + 1 < frames_) {
      ++frame_;
    } else if (!begin_image()) {
      return std::nullopt;
    }
    RecordedFrame frame;
    if (const auto told = images_[next_ - 1]->frame(); told && frames_ == 1) {
      frame.info = *told;
      const std::uint64_t expected = std::exchange(cnt0_, told->cnt0) + 1;
      frame.missed = expected > 1 && told->cnt0 > expected ? told->cnt0 - expected : 0;
    }
    ++count_;
    frame.info.cnt0 = frame.info.cnt0 == 0 ? count_ : frame.info.cnt0;
    return frame;
  }

  void read(std::span<std::byte> pixels) override {
    ImageFile& image = *images_[next_ - 1];
    frames_ == 1 ? image.read(pixels) : image.read_planes(frame_, pixels);
  }

  void rewind() override {
    next_ = 0;
    frames_ = 0;
    frame_ = 0;
    count_ = 0;
    cnt0_ = 0;
  }

 private:
  bool begin_image() {
    if (next_ == images_.size()) {
      return false;
    }
    const Format format = images_[next_]->format();
    const auto frames = frames_of_shape(format.shape, recorded().shape);
    if (format.type != recorded().type || !frames) {
      throw Error(Problem::mismatch, file_,
                  fmt::format("its image {} is {} {}, and the first has frames of {} {}", next_ + 1,
                              to_string(format.type), to_string(format.shape),
                              to_string(recorded().type), to_string(recorded().shape)));
    }
    frames_ = *frames;
    frame_ = 0;
    ++next_;
    return true;
  }

  std::string file_;
  std::vector<std::unique_ptr<ImageFile>> images_;
  std::size_t next_ = 0;      ///< image
  std::uint64_t frames_ = 0;  ///< of the image before that
  std::uint64_t frame_ = 0;   ///< of them
  std::uint64_t count_ = 0;   ///< of all frames so far
  std::uint64_t cnt0_ = 0;    ///< that the frame before has
};

}  // namespace

std::unique_ptr<Playable> play_images(const std::string& file) {
  return std::make_unique<ImagesFile>(file);
}

}  // namespace shmim::tools
