#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <shmim/fits.hpp>

#include "common/io/recognize.hpp"
#include "diff/side.hpp"

namespace shmim::tools {
namespace {

using ImageFiles = std::vector<std::unique_ptr<ImageFile>>;

/// What SHMIMTYP says that an image was before it was FITS, which has no such type.
class Written {
 public:
  explicit Written(const ImageFile& image) : format_(image.format()), keywords_(image.keywords()) {
    const auto card = std::ranges::find(keywords_, "SHMIMTYP", &Keyword::name);
    const auto* name = card == keywords_.end() ? nullptr : std::get_if<std::string>(&card->value);
    const auto type = name == nullptr ? std::nullopt : parse_data_type(*name);
    const bool is_complex = (type == DataType::complex64 && format_.type == DataType::float32) ||
                            (type == DataType::complex128 && format_.type == DataType::float64);
    is_half_ = type == DataType::float16 && format_.type == DataType::float32;
    if (is_complex && format_.shape.axes() > 1 && format_.shape[0] == 2) {
      format_.shape = Shape(format_.shape.lengths().subspan(1));
      format_.type = *type;
    } else if (is_half_) {
      format_.type = *type;
    } else {
      return;
    }
    keywords_.erase(card);
  }

  [[nodiscard]] const Shape& shape() const noexcept { return format_.shape; }
  [[nodiscard]] DataType type() const noexcept { return format_.type; }
  [[nodiscard]] const std::vector<Keyword>& keywords() const noexcept { return keywords_; }

  /// Of pixels as the file has them.
  void restore(std::vector<std::byte>& pixels) const {
    if (!is_half_) {
      return;
    }
    const std::size_t count = pixels.size() / sizeof(float);
    for (std::size_t i = 0; i < count; ++i) {
      float value = 0;
      std::memcpy(&value, &pixels[i * sizeof(float)], sizeof value);
      const std::uint16_t half = float_to_float16(value);
      std::memcpy(&pixels[i * sizeof half], &half, sizeof half);
    }
    pixels.resize(count * sizeof(std::uint16_t));
  }

 private:
  Format format_;
  std::vector<Keyword> keywords_;
  bool is_half_ = false;
};

class FitsSide final : public Side {
 public:
  /// `file` can be opened again by its name, for planes of its one image; else it is empty.
  FitsSide(ImageFiles images, Reading reading, std::string file)
      : images_(std::move(images)), reading_(reading), file_(std::move(file)) {}

  bool next(SideFrame& frame) override {
    while (plane_ == planes_) {
      if (image_ == images_.size()) {
        return false;
      }
      begin(*images_[image_++]);
    }
    read_pixels(frame);
    written_->restore(frame.pixels);
    frame.type = written_->type();
    frame.shape = shape_;
    frame.keywords = written_->keywords();
    frame.cnt0 = cnt0_;
    ++plane_;
    return true;
  }

  [[nodiscard]] std::vector<std::string> unfit_keywords() const override {
    return image_ == 0 ? std::vector<std::string>() : images_[image_ - 1]->unfit_keywords();
  }
  [[nodiscard]] bool is_fits() const noexcept override { return true; }

 private:
  void begin(const ImageFile& image) {
    written_.emplace(image);
    const auto frame = image.frame();
    cnt0_ = frame && frame->cnt0 > 0 ? std::optional(frame->cnt0) : std::nullopt;
    plane_ = 0;
    planes_ = 1;
    shape_ = written_->shape();
    if (reading_ == Reading::frames && shape_.axes() == layout::max_axes && !cnt0_) {
      planes_ = shape_[2];
      shape_ = Shape{shape_[0], shape_[1]};
    }
    ahead_ = 0;
  }

  void read_pixels(SideFrame& frame) {
    ImageFile& image = *images_[image_ - 1];
    const std::uint64_t bytes = image.format().bytes() / planes_;
    frame.pixels.resize(bytes);
    if (planes_ == 1) {
      image.read(frame.pixels);
      return;
    }
    if (ahead_ == 0) {
      read_ahead(image, bytes);
    }
    std::memcpy(frame.pixels.data(), &pixels_[pixels_.size() - ahead_ * bytes], bytes);
    --ahead_;
  }

  /// Some planes of a cube, by a section of cfitsio's where nothing but the file is named.
  void read_ahead(ImageFile& image, std::uint64_t bytes) {
    constexpr std::uint64_t enough = std::uint64_t{16} << 20;
    const std::uint64_t some = std::clamp<std::uint64_t>(enough / bytes, 1, planes_ - plane_);
    ahead_ = file_.empty() ? planes_ : some;
    pixels_.resize(ahead_ * bytes);
    if (file_.empty()) {
      image.read(pixels_);
    } else {
      open_fits(fmt::format("{}[*,*,{}:{}]", file_, plane_ + 1, plane_ + ahead_))->read(pixels_);
    }
  }

  ImageFiles images_;
  Reading reading_;
  std::string file_;
  std::size_t image_ = 0;  ///< the next
  std::optional<Written> written_;
  std::optional<std::uint64_t> cnt0_;
  Shape shape_;  ///< of a frame
  std::uint64_t plane_ = 0;
  std::uint64_t planes_ = 0;
  std::vector<std::byte> pixels_;  ///< of planes, the last of them still to come
  std::uint64_t ahead_ = 0;        ///< how many those are
};

bool is_plain_fits(const std::string& file) {
  Input input(file);
  const Known* known = known_beginning(input);
  return known != nullptr && known->format == FrameFormat::fits;
}

}  // namespace

std::unique_ptr<Side> fits_side(const std::string& file, Reading reading) {
  ImageFiles images = open_fits_images(file);
  // What is compressed would be unpacked for each piece.
  const bool can_be_cut = images.size() == 1 && file.find('[') == file.npos && is_plain_fits(file);
  return std::make_unique<FitsSide>(std::move(images), reading, can_be_cut ? file : "");
}

std::unique_ptr<Side> fits_side(Input& input, Reading reading) {
  constexpr std::size_t step = std::size_t{1} << 20;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  std::size_t size = 0;
  for (std::size_t got = 1; got > 0; size += got) {
    bytes->resize(size + step);
    got = input.read(std::span(*bytes).subspan(size));
  }
  bytes->resize(size);
  return std::make_unique<FitsSide>(open_fits_images(std::move(bytes), input.name()), reading, "");
}

}  // namespace shmim::tools
