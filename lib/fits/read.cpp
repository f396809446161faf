#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "fits/file_name.hpp"
#include "fits/image.hpp"
#include "fits/open.hpp"
#include "fits/pixels.hpp"
#include "fits/section.hpp"
#include "shmim/error.hpp"
#include "shmim/fits.hpp"

namespace shmim {
namespace {

using cfitsio::File;
using cfitsio::Functions;
using fits::FileName;
using fits::Range;
using fits::Section;

[[noreturn]] void not_an_image(const File& file, const std::string& why) {
  throw Error(Problem::not_an_image, file.subject(), why);
}

// ---- HDUs. cfitsio counts from 1; its extended syntax, and so our messages, from 0.

void move_to_number(const File& file, int number) {
  // Counted one by one, since the end is an error only here.
  for (int n = 0; n <= number; ++n) {
    if (!fits::move_to(file, n + 1)) {
      not_an_image(file, fmt::format("has no HDU {}; its last is {}", number, n - 1));
    }
  }
}

void move_to_name(const File& file, const FileName::Name& hdu) {
  std::string name = hdu.name;
  if (file.call_unless(BAD_HDU_NUM, &Functions::fits_movnam_hdu, int{ANY_HDU}, name.data(),
                       hdu.version)) {
    return;
  }
  if (name == "PRIMARY" && hdu.version == 0) {
    move_to_number(file, 0);
    return;
  }
  const std::string version = hdu.version == 0 ? "" : fmt::format(" of version {}", hdu.version);
  not_an_image(file, fmt::format("has no HDU named {}{}", name, version));
}

void move_to_image(const File& file, const FileName& name) {
  if (std::holds_alternative<FileName::FirstImage>(name.hdu)) {
    fits::move_to_first_image(file);
    return;
  }
  if (const auto* hdu = std::get_if<FileName::Number>(&name.hdu)) {
    move_to_number(file, hdu->number);
  } else {
    move_to_name(file, std::get<FileName::Name>(name.hdu));
  }
  if (!fits::holds_image(file)) {
    not_an_image(file, fmt::format("HDU {} holds no image", file.hdu() - 1));
  }
}

// ---- What the current HDU holds.

/// Of more than three axes those of length 1 are dropped, the last ones first.
std::vector<LONGLONG> without_length_one(std::vector<LONGLONG> axes) {
  for (auto axis = axes.end(); axis != axes.begin() && axes.size() > layout::max_axes;) {
    --axis;
    if (*axis == 1) {
      axis = axes.erase(axis);
    }
  }
  return axes;
}

Shape shape_of(const File& file, const std::vector<LONGLONG>& all) {
  const std::vector<LONGLONG> axes = without_length_one(all);
  if (axes.size() > layout::max_axes) {
    not_an_image(file, fmt::format("has {} axes ({}); a stream has one to three", all.size(),
                                   fmt::join(all, "x")));
  }
  std::vector<std::uint32_t> lengths;
  for (const LONGLONG axis : axes) {
    constexpr LONGLONG longest = std::numeric_limits<std::uint32_t>::max();
    if (axis < 1 || axis > longest) {
      not_an_image(file, fmt::format("has an axis of length {} ({}); a stream's have 1 to {}", axis,
                                     fmt::join(all, "x"), longest));
    }
    lengths.push_back(static_cast<std::uint32_t>(axis));
  }
  return Shape(lengths);
}

std::vector<LONGLONG> lengths_of(const Section& section) {
  std::vector<LONGLONG> lengths;
  for (const Range& range : section) {
    lengths.push_back(range.length());
  }
  return lengths;
}

/// An image in a file that stays open for as long as any of its images is in use.
class FitsImage final : public ImageFile {
 public:
  /// The image of the current HDU, or a section of it.
  explicit FitsImage(std::shared_ptr<const File> file, const Section& section = {})
      : file_(std::move(file)), hdu_(file_->hdu()), pixels_(complete(*file_)) {
    format_.type = pixels_.type();
    header_ = fits::read_header(*file_, pixels_.is_exact());
    const std::vector<LONGLONG> axes = fits::axes_of(*file_);
    if (section.empty()) {
      format_.shape = shape_of(*file_, axes);
    } else {
      section_ = fits::resolve_section(section, axes, file_->subject());
      format_.shape = shape_of(*file_, lengths_of(section_));
      fits::move_world(header_.keywords, fits::steps_of(section_));
    }
    format_.keywords = static_cast<std::uint16_t>(
        std::max<std::size_t>(format_.keywords, header_.keywords.size()));
  }

  [[nodiscard]] Format format() const override { return format_; }
  [[nodiscard]] const std::vector<Keyword>& keywords() const override { return header_.keywords; }
  [[nodiscard]] const std::vector<std::string>& unfit_keywords() const override {
    return header_.unfit;
  }
  [[nodiscard]] std::optional<FrameInfo> frame() const override { return header_.frame; }

  void read(std::span<std::byte> pixels) override {
    if (pixels.size() != format_.bytes()) {
      throw Error(Problem::usage, file_->subject(),
                  fmt::format("{} bytes given for an image of {}", pixels.size(), format_.bytes()));
    }
    file_->call(&Functions::fits_movabs_hdu, hdu_, nullptr);
    pixels_.read(*file_, section_, pixels);
  }

  void read_planes(std::uint64_t first, std::span<std::byte> pixels) override {
    // Of a section, or where an axis was dropped, the last axis is another one.
    if (!section_.empty() || pixels_.axes().size() != format_.shape.axes()) {
      return ImageFile::read_planes(first, pixels);
    }
    require_planes(first, pixels.size());
    file_->call(&Functions::fits_movabs_hdu, hdu_, nullptr);
    pixels_.read_planes(*file_, first, pixels);
  }

 private:
  static const File& complete(const File& file) {
    fits::check_complete(file);
    return file;
  }

  std::shared_ptr<const File> file_;
  int hdu_;
  fits::Pixels pixels_;
  Section section_;  ///< empty for the whole image
  Format format_;
  fits::Header header_;
};

/// Each HDU with an image.
std::vector<std::unique_ptr<ImageFile>> images_in(const std::shared_ptr<const File>& file) {
  std::vector<std::unique_ptr<ImageFile>> images;
  for (int number = 1; fits::move_to(*file, number); ++number) {
    if (fits::holds_image(*file)) {
      images.push_back(std::make_unique<FitsImage>(file));
    }
  }
  if (images.empty()) {
    not_an_image(*file, "holds no image");
  }
  return images;
}

}  // namespace

std::unique_ptr<ImageFile> open_fits(const std::string& file) {
  const FileName name = fits::parse_file_name(file);
  const std::shared_ptr<const File> opened = fits::open_file(name.path, file);
  move_to_image(*opened, name);
  return std::make_unique<FitsImage>(opened, name.section);
}

std::vector<std::unique_ptr<ImageFile>> open_fits_images(const std::string& file) {
  const FileName name = fits::parse_file_name(file);
  if (std::holds_alternative<FileName::FirstImage>(name.hdu) && name.section.empty()) {
    return images_in(fits::open_file(name.path, file));
  }
  std::vector<std::unique_ptr<ImageFile>> images;
  images.push_back(open_fits(file));
  return images;
}

std::vector<std::unique_ptr<ImageFile>> open_fits_images(
    std::shared_ptr<const std::vector<std::byte>> bytes, const std::string& name) {
  if (!looks_like_fits(*bytes)) {
    throw Error(Problem::not_an_image, name, "is not FITS");
  }
  const std::size_t size = bytes->size();
  return images_in(size % fits::block_bytes == 0
                       ? std::make_shared<const File>(File::open(std::move(bytes), size, name))
                       : fits::open_in_memory(*bytes, name));
}

bool looks_like_fits(std::span<const std::byte> bytes) noexcept {
  constexpr std::string_view start = "SIMPLE  =";
  return bytes.size() >= start.size() &&
         std::equal(start.begin(), start.end(), bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

}  // namespace shmim
