#include <algorithm>
#include <array>
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "fits/file_name.hpp"
#include "fits/gzip.hpp"
#include "fits/image.hpp"
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

// ---- The file, before cfitsio sees it: its errors do not tell these cases apart.

enum class Kind { plain, gzip, compressed };

void check_kind(const std::string& path, const std::string& subject) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    const int error_number = errno;
    if (lstat(path.c_str(), &status) == 0) {
      throw Error(Problem::dangling_link, subject, "is a link to a file that is not there");
    }
    if (path.find("://") != path.npos) {
      throw Error(Problem::usage, subject, "is a URL; only local files are read");
    }
    if (error_number == ENOENT) {  // which is no missing stream
      throw Error(Problem::failed, subject,
                  fmt::format("cannot be read: {}", std::generic_category().message(error_number)));
    }
    throw Error::system(subject, "cannot be read", error_number);
  }
  if (S_ISDIR(status.st_mode)) {
    throw Error(Problem::not_an_image, subject, "is a directory, not a FITS file");
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(Problem::not_an_image, subject, "is not a regular file; save it to disk first");
  }
}

Kind kind_of(const std::string& path, const std::string& subject) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    throw Error::system(subject, "cannot be read", errno);
  }
  std::array<char, FLEN_CARD> buffer{};
  const std::string_view bytes(buffer.data(),
                               std::fread(buffer.data(), 1, buffer.size(), file.get()));
  if (bytes.empty()) {
    throw Error(Problem::not_an_image, subject, "is empty");
  }
  if (looks_like_fits(std::as_bytes(std::span(bytes)))) {
    return Kind::plain;
  }
  if (bytes.starts_with("\x1f\x8b")) {
    return Kind::gzip;
  }
  constexpr std::array<std::string_view, 3> read_by_cfitsio{"\x1f\x9d", "PK", "BZh"};
  if (std::any_of(read_by_cfitsio.begin(), read_by_cfitsio.end(),
                  [bytes](std::string_view start) { return bytes.starts_with(start); })) {
    return Kind::compressed;
  }
  throw Error(Problem::not_an_image, subject, "is not a FITS file");
}

// ---- HDUs. cfitsio counts from 1; its extended syntax, and so our messages, from 0.

/// True where the current HDU has axes; a tile-compressed image counts, a table does not.
bool holds_image(const File& file) {
  int type = 0;
  int axes = 0;
  file.call(&Functions::fits_get_hdu_type, &type);
  if (type != IMAGE_HDU && !file.is_compressed()) {
    return false;
  }
  file.call(&Functions::fits_get_img_dim, &axes);
  return axes > 0;
}

/// Moves on to an HDU; false at the end of the file.
bool move_to(const File& file, int number) {
  return file.call_unless(END_OF_FILE, &Functions::fits_movabs_hdu, number, nullptr);
}

void move_to_first_image(const File& file) {
  for (int number = 1; move_to(file, number); ++number) {
    if (holds_image(file)) {
      return;
    }
  }
  not_an_image(file, "holds no image");
}

void move_to_number(const File& file, int number) {
  // Counted one by one, since the end is an error only here.
  for (int n = 0; n <= number; ++n) {
    if (!move_to(file, n + 1)) {
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
    move_to_first_image(file);
    return;
  }
  if (const auto* hdu = std::get_if<FileName::Number>(&name.hdu)) {
    move_to_number(file, hdu->number);
  } else {
    move_to_name(file, std::get<FileName::Name>(name.hdu));
  }
  if (!holds_image(file)) {
    not_an_image(file, fmt::format("HDU {} holds no image", file.hdu() - 1));
  }
}

LONGLONG read_integer(const File& file, const char* name, LONGLONG otherwise) {
  LONGLONG value = otherwise;
  file.call_unless(KEY_NO_EXIST, &Functions::fits_read_key, int{TLONGLONG}, name, &value, nullptr);
  return value;
}

/// Numbers that no file reaches: of bytes that a header asks for.
__extension__ using Wide = unsigned __int128;

/// Where the data of the current HDU end, without the filling of the last block; nothing where that
/// is more than can be told. cfitsio's own numbers do not tell: they wrap.
std::optional<Wide> data_end(const File& file) {
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  file.call(&Functions::fits_get_hduaddrll, &header, &data, &end);
  const LONGLONG axes = read_integer(file, "NAXIS", 0);
  Wide bytes = axes > 0 ? 1 : 0;
  bool is_told = true;
  for (LONGLONG axis = 1; axis <= axes; ++axis) {
    const LONGLONG length = read_integer(file, fmt::format("NAXIS{}", axis).c_str(), 0);
    is_told = !__builtin_mul_overflow(bytes, static_cast<Wide>(length), &bytes) && is_told;
  }
  bytes += static_cast<Wide>(read_integer(file, "PCOUNT", 0));
  const auto element = static_cast<Wide>(std::llabs(read_integer(file, "BITPIX", 8)) / 8);
  is_told = !__builtin_mul_overflow(bytes, element, &bytes) && is_told;
  return is_told ? std::optional(bytes + static_cast<Wide>(data)) : std::nullopt;
}

/// cfitsio reads what lies beyond the end of a file as zeros.
void check_complete(const File& file) {
  const std::optional<Wide> end = data_end(file);
  if (!end || *end > file.size()) {
    throw Error(Problem::failed, file.subject(),
                fmt::format("is truncated: it has {} bytes, and HDU {} needs {}", file.size(),
                            file.hdu() - 1, end ? fmt::to_string(*end) : "more than 2^128"));
  }
}

// ---- What the current HDU holds.

std::vector<LONGLONG> image_axes(const File& file) {
  int count = 0;
  file.call(&Functions::fits_get_img_dim, &count);
  std::vector<LONGLONG> axes(static_cast<std::size_t>(count));
  file.call(&Functions::fits_get_img_sizell, count, axes.data());
  return axes;
}

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

/// Values are `scale` times what is in the file, plus `zero`.
struct Scaling {
  double scale = 1;
  double zero = 0;
};

double read_real(const File& file, const char* name, double otherwise) {
  double value = otherwise;
  file.call_unless(KEY_NO_EXIST, &Functions::fits_read_key, int{TDOUBLE}, name, &value, nullptr);
  return value;
}

/// The type whose values the file holds as they are, unsigned ones with FITS's offset.
std::optional<DataType> exact_type(int bitpix, const Scaling& scaling) {
  struct Convention {
    int bitpix;
    double zero;
    DataType type;
  };
  static constexpr std::array<Convention, 10> conventions{{
      {BYTE_IMG, 0, DataType::uint8},
      {BYTE_IMG, -0x1p7, DataType::int8},
      {SHORT_IMG, 0, DataType::int16},
      {SHORT_IMG, 0x1p15, DataType::uint16},
      {LONG_IMG, 0, DataType::int32},
      {LONG_IMG, 0x1p31, DataType::uint32},
      {LONGLONG_IMG, 0, DataType::int64},
      {LONGLONG_IMG, 0x1p63, DataType::uint64},
      {FLOAT_IMG, 0, DataType::float32},
      {DOUBLE_IMG, 0, DataType::float64},
  }};
  for (const Convention& convention : conventions) {
    if (convention.bitpix == bitpix && convention.zero == scaling.zero && scaling.scale == 1) {
      return convention.type;
    }
  }
  return std::nullopt;
}

/// The floating-point type that tells all scaled values of the integer type apart.
DataType scaled_type(int bitpix, const Scaling& scaling) {
  if (bitpix < 0) {
    return DataType::float64;
  }
  const auto half = static_cast<double>(std::uint64_t{1} << (bitpix - 1));
  const double lowest = bitpix == BYTE_IMG ? 0 : -half;
  const double highest = lowest + 2 * half - 1;
  const double largest = std::max(std::fabs(lowest * scaling.scale + scaling.zero),
                                  std::fabs(highest * scaling.scale + scaling.zero));
  const bool fits = largest / std::fabs(scaling.scale) <= 0x1p24 && largest <= FLT_MAX;
  return fits ? DataType::float32 : DataType::float64;
}

int cfitsio_type(DataType type) {
  switch (type) {
    case DataType::uint8:
      return TBYTE;
    case DataType::int8:
      return TSBYTE;
    case DataType::uint16:
      return TUSHORT;
    case DataType::int16:
      return TSHORT;
    case DataType::uint32:
      return TUINT;
    case DataType::int32:
      return TINT;
    case DataType::uint64:
      return TULONGLONG;
    case DataType::int64:
      return TLONGLONG;
    case DataType::float32:
      return TFLOAT;
    default:
      return TDOUBLE;
  }
}

/// An image in a file that stays open for as long as any of its images is in use.
class FitsImage final : public ImageFile {
 public:
  /// The image of the current HDU, or a section of it.
  explicit FitsImage(std::shared_ptr<const File> file, const Section& section = {})
      : file_(std::move(file)), hdu_(file_->hdu()) {
    check_complete(*file_);
    read_type();
    header_ = fits::read_header(*file_, is_exact_);
    const std::vector<LONGLONG> axes = image_axes(*file_);
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
    const bool has_any = read_into(pixels.data(), blank());
    if (has_any && may_hold_infinity_) {
      format_.type == DataType::float32 ? restore_infinity<float>(pixels)
                                        : restore_infinity<double>(pixels);
    }
  }

 private:
  void read_type() {
    int bitpix = 0;
    file_->call(&Functions::fits_get_img_type, &bitpix);
    const Scaling scaling{read_real(*file_, "BSCALE", 1), read_real(*file_, "BZERO", 0)};
    const std::optional<DataType> exact = exact_type(bitpix, scaling);
    format_.type = exact ? *exact : scaled_type(bitpix, scaling);
    is_exact_ = bitpix > 0 && exact;
    may_hold_infinity_ = bitpix < 0;
    has_blanks_ = bitpix > 0 ? !exact : file_->is_compressed();
  }

  /// What a pixel without a value becomes. Only in scaled integers, and in floats that may have
  /// been compressed as such, are such pixels looked for: all else is taken as it is.
  void* blank() {
    if (!has_blanks_) {
      return nullptr;
    }
    return format_.type == DataType::float32 ? static_cast<void*>(&nan32_) : &nan64_;
  }

  /// True where there was a pixel without a value.
  bool read_into(void* pixels, void* blank) {
    const int type = cfitsio_type(format_.type);
    int any_blank = 0;
    if (section_.empty()) {
      file_->call(&Functions::fits_read_img, type, LONGLONG{1},
                  static_cast<LONGLONG>(format_.shape.elements()), blank, pixels, &any_blank);
      return any_blank != 0;
    }
    std::vector<long> first;
    std::vector<long> last;
    std::vector<long> step;
    for (const Range& range : section_) {
      first.push_back(range.first);
      last.push_back(range.last);
      step.push_back(range.step);
    }
    file_->call(&Functions::fits_read_subset, type, first.data(), last.data(), step.data(), blank,
                pixels, &any_blank);
    return any_blank != 0;
  }

  /// cfitsio takes infinity for no value in the tiles that hold floats as they are, among others
  /// that hold integers. Without a value to put in its place it is read.
  template <class T>
  void restore_infinity(std::span<std::byte> pixels) {
    std::vector<T> values(pixels.size() / sizeof(T));
    read_into(values.data(), nullptr);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isinf(values[i])) {
        std::memcpy(pixels.data() + i * sizeof(T), &values[i], sizeof(T));
      }
    }
  }

  std::shared_ptr<const File> file_;
  int hdu_;
  Section section_;  ///< empty for the whole image
  Format format_;
  fits::Header header_;
  bool is_exact_ = false;  ///< integers as they are in the file
  bool has_blanks_ = false;
  bool may_hold_infinity_ = false;
  float nan32_ = std::numeric_limits<float>::quiet_NaN();
  double nan64_ = std::numeric_limits<double>::quiet_NaN();
};

/// With what is lacking to fill the last block: cfitsio fails to read small files without.
std::shared_ptr<const File> open_in_memory(std::vector<std::byte> bytes,
                                           const std::string& subject) {
  const std::size_t size = bytes.size();
  bytes.resize(size + fits::padding_of(size));
  return std::make_shared<const File>(
      File::open(std::make_shared<const std::vector<std::byte>>(std::move(bytes)), size, subject));
}

std::vector<std::byte> read_file(const std::string& path, const std::string& subject) {
  std::ifstream file(path, std::ios::binary);
  const auto size = std::filesystem::file_size(path);
  std::vector<std::byte> bytes;
  bytes.reserve(size + fits::block_bytes);  // to be filled up where it is
  bytes.resize(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) {
    throw Error(Problem::failed, subject, "cannot be read");
  }
  return bytes;
}

std::shared_ptr<const File> open_checked(const std::string& path, const std::string& subject) {
  check_kind(path, subject);
  const Kind kind = kind_of(path, subject);
  if (kind == Kind::gzip) {
    std::vector<std::byte> bytes = fits::gunzip(path, subject);
    if (!looks_like_fits(bytes)) {
      throw Error(Problem::not_an_image, subject, "is gzip, and holds no FITS file");
    }
    return open_in_memory(std::move(bytes), subject);
  }
  if (kind == Kind::plain && std::filesystem::file_size(path) % fits::block_bytes != 0) {
    return open_in_memory(read_file(path, subject), subject);
  }
  return std::make_shared<const File>(File::open(path, subject));
}

/// Each HDU with an image.
std::vector<std::unique_ptr<ImageFile>> images_in(const std::shared_ptr<const File>& file) {
  std::vector<std::unique_ptr<ImageFile>> images;
  for (int number = 1; move_to(*file, number); ++number) {
    if (holds_image(*file)) {
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
  const std::shared_ptr<const File> opened = open_checked(name.path, file);
  move_to_image(*opened, name);
  return std::make_unique<FitsImage>(opened, name.section);
}

std::vector<std::unique_ptr<ImageFile>> open_fits_images(const std::string& file) {
  const FileName name = fits::parse_file_name(file);
  if (std::holds_alternative<FileName::FirstImage>(name.hdu) && name.section.empty()) {
    return images_in(open_checked(name.path, file));
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
                       : open_in_memory(*bytes, name));
}

bool looks_like_fits(std::span<const std::byte> bytes) noexcept {
  constexpr std::string_view start = "SIMPLE  =";
  return bytes.size() >= start.size() &&
         std::equal(start.begin(), start.end(), bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

}  // namespace shmim
