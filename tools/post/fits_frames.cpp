// Images of FITS: a file that cfitsio reads, or HDU by HDU what comes through a pipe.

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "common/io/pipe.hpp"
#include "post/hdu_extent.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

/// The frames of one image after the other.
class Images {
 public:
  Images() = default;
  Images(std::vector<std::unique_ptr<ImageFile>> images, const std::string& name,
         const FrameKind& kind)
      : images_(std::move(images)) {
    for (const auto& image : images_) {
      counts_.push_back(frames_in(image->format(), kind, name));
    }
  }

  [[nodiscard]] bool is_at_end() const { return image_ == images_.size(); }

  /// False at the end.
  bool next(std::span<std::byte> frame) {
    if (is_at_end()) {
      return false;
    }
    ImageFile& image = *images_[image_];
    if (counts_[image_] == 1) {
      image.read(frame);
    } else {
      if (frame_ == 0) {
        pixels_.resize(image.format().bytes());
        image.read(pixels_);
      }
      std::memcpy(frame.data(), &pixels_[frame_ * frame.size()], frame.size());
    }
    const std::optional<FrameInfo> of_file = image.frame();
    atime_ = of_file && of_file->atime != never ? std::optional(of_file->atime) : std::nullopt;
    if (++frame_ == counts_[image_]) {
      frame_ = 0;
      ++image_;
    }
    return true;
  }

  [[nodiscard]] std::optional<Tai> atime() const { return atime_; }

  void rewind() {
    image_ = 0;
    frame_ = 0;
  }

 private:
  std::vector<std::unique_ptr<ImageFile>> images_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::byte> pixels_;  ///< of an image that is several frames
  std::size_t image_ = 0;
  std::uint32_t frame_ = 0;
  std::optional<Tai> atime_;  ///< of the frame that was read last
};

class FitsFileFrames final : public FrameSource {
 public:
  FitsFileFrames(const std::string& file, const FrameKind& kind)
      : images_(open_fits_images(file), file, kind) {}
  bool next(std::span<std::byte> frame) override { return images_.next(frame); }
  [[nodiscard]] std::optional<Tai> atime() const override { return images_.atime(); }
  bool rewind() override {
    images_.rewind();
    return true;
  }

 private:
  Images images_;
};

/// One HDU at a time is in memory, or of one that is frames one behind the other those that have
/// come: however long the input goes on.
class FitsFrames final : public FrameSource {
 public:
  FitsFrames(std::unique_ptr<Input> input, const FrameKind& kind)
      : input_(std::move(input)), kind_(kind) {}

  void wait() override {
    if (images_.is_at_end()) {
      input_->wait();
    }
  }

  bool next(std::span<std::byte> frame) override {
    while (!images_.next(frame)) {
      if (cube_.read < cube_.frames) {
        read_of_cube();
        continue;
      }
      end_cube();
      if (input_->peek(1).empty()) {
        return false;
      }
      read_hdu();
    }
    return true;
  }

  [[nodiscard]] std::optional<Tai> atime() const override { return images_.atime(); }

  bool rewind() override {
    images_ = {};
    cube_ = {};
    hdu_ = 0;
    return input_->rewind();
  }

 private:
  struct Cube {
    std::string primary;  ///< an HDU in front of it
    std::string header;
    std::uint32_t frames = 0;
    std::uint32_t read = 0;
    std::uint64_t frame_bytes = 0;
    std::uint64_t filling = 0;  ///< behind the last
  };

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Problem::failed, input_->name(), fmt::format("HDU {}: {}", hdu_, why));
  }

  /// Behind `bytes`. Not all at once: a header that promises too much costs no memory.
  std::uint64_t read_behind(std::vector<std::byte>& bytes, std::uint64_t size) {
    constexpr std::uint64_t step = std::uint64_t{16} << 20;
    std::uint64_t done = 0;
    while (done < size) {
      const auto wanted = static_cast<std::size_t>(std::min(step, size - done));
      const std::size_t before = bytes.size();
      bytes.resize(before + wanted);
      const std::size_t got = input_->read(std::span(bytes).subspan(before));
      done += got;
      if (got < wanted) {
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(before + got), bytes.end(),
                  std::byte{0});
        break;
      }
    }
    return done;
  }

  static std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  /// Reads on to END.
  void read_header(std::vector<std::byte>& bytes) {
    constexpr std::size_t most = 10000 * fits_block_bytes;
    do {
      const std::uint64_t got = read_behind(bytes, fits_block_bytes);
      if (got < fits_block_bytes || bytes.size() > most) {
        refuse("the header has no end");
      }
    } while (!has_end_card(text(bytes).substr(bytes.size() - fits_block_bytes)));
  }

  void read_hdu() {
    // One file may follow upon the other.
    const bool is_file = looks_like_fits(input_->peek(looks_at));
    const bool is_extension = input_->text_ahead().starts_with("XTENSION=");
    if (!is_file && !(is_extension && hdu_ > 0)) {
      refuse("what stands here is no header of FITS");
    }
    // cfitsio takes an extension only behind a primary HDU.
    const std::vector<std::byte> primary = is_file ? std::vector<std::byte>() : empty_primary();
    auto bytes = std::make_shared<std::vector<std::byte>>(primary);
    read_header(*bytes);
    const std::string header(text(*bytes).substr(primary.size()));
    const auto data = hdu_data_bytes(header);
    if (!data) {
      refuse("the header does not say how large it is");
    }
    const std::uint64_t filled = in_blocks(*data);
    if (const auto frames = frames_of_cube(header, kind_.shape.lengths())) {
      cube_ = {std::string(text(primary)), header, *frames, 0, *data / *frames, filled - *data};
      return;
    }
    if (const std::uint64_t got = read_behind(*bytes, filled); got < *data) {
      refuse(fmt::format("ends after {} of its {} bytes, and was not published", got, *data));
    }
    if (may_hold_image(header)) {
      bytes->resize(primary.size() + header.size() + filled);
      images_ = Images(open_fits_images(bytes, input_->name()), input_->name(), kind_);
    }
    ++hdu_;
  }

  /// As many frames as have come, and one at least: whoever sends them may take its time.
  void read_of_cube() {
    constexpr std::size_t piece = std::size_t{1} << 20;
    while (input_->ahead().size() < std::min<std::uint64_t>(cube_.frame_bytes, piece) &&
           input_->read_ahead(piece)) {
    }
    const auto frames = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        input_->ahead().size() / cube_.frame_bytes, 1, cube_.frames - cube_.read));
    const std::string headers =
        cube_.primary + with_frames(cube_.header, kind_.shape.axes(), frames);
    const auto begin = std::as_bytes(std::span(headers));
    auto bytes = std::make_shared<std::vector<std::byte>>(begin.begin(), begin.end());
    const std::uint64_t wanted = frames * cube_.frame_bytes;
    if (const std::uint64_t got = read_behind(*bytes, wanted); got < wanted) {
      refuse(
          fmt::format("ends after {} of the {} bytes of frame {} of its {}, which was not "
                      "published",
                      got, wanted, cube_.read + 1, cube_.frames));
    }
    bytes->resize(headers.size() + in_blocks(wanted));
    images_ = Images(open_fits_images(bytes, input_->name()), input_->name(), kind_);
    cube_.read += frames;
  }

  /// Not before its last frame is published: what fills its block may be lacking.
  void end_cube() {
    if (cube_.frames > 0) {
      std::vector<std::byte> filling(cube_.filling);
      static_cast<void>(input_->read(filling));
      cube_ = {};
      ++hdu_;
    }
  }

  static std::uint64_t in_blocks(std::uint64_t bytes) {
    return (bytes + fits_block_bytes - 1) / fits_block_bytes * fits_block_bytes;
  }

  static std::vector<std::byte> empty_primary() {
    std::string header;
    for (const char* card :
         {"SIMPLE  =                    T", "BITPIX  =                    8",
          "NAXIS   =                    0", "EXTEND  =                    T", "END"}) {
      header += fmt::format("{:80}", card);
    }
    header.resize(fits_block_bytes, ' ');
    const auto bytes = std::as_bytes(std::span(header));
    return {bytes.begin(), bytes.end()};
  }

  static constexpr std::size_t looks_at = 9;
  std::unique_ptr<Input> input_;
  FrameKind kind_;
  Images images_;
  Cube cube_;
  std::size_t hdu_ = 0;  ///< that is next, from 0 as messages count them
};

}  // namespace

std::uint32_t frames_in(const Format& image, const FrameKind& kind, const std::string& name) {
  const auto frames = frames_of_shape(image.shape, kind.shape);
  if (image.type != kind.type || !frames) {
    Requirement wanted;
    wanted.type = kind.type;
    if (!frames) {
      wanted.shape = kind.shape;
    }
    throw Error(Problem::mismatch, name, to_string(differences(image, wanted)));
  }
  return *frames;
}

std::unique_ptr<FrameSource> fits_frames(std::unique_ptr<Input> input, const FrameKind& kind) {
  widen_pipe(input->descriptor(), kind.bytes());
  return std::make_unique<FitsFrames>(std::move(input), kind);
}

std::unique_ptr<FrameSource> fits_file_frames(const std::string& file, const FrameKind& kind) {
  return std::make_unique<FitsFileFrames>(file, kind);
}

}  // namespace shmim::tools
