#include "fits/pixels.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fits/open.hpp"
#include "shmim/error.hpp"
#include "shmim/layout.hpp"

namespace shmim::fits {
namespace {

using cfitsio::File;
using cfitsio::Functions;

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

}  // namespace

Pixels::Pixels(const File& file) : axes_(axes_of(file)), is_compressed_(file.is_compressed()) {
  int bitpix = 0;
  file.call(&Functions::fits_get_img_type, &bitpix);
  const Scaling scaling{read_real(file, "BSCALE", 1), read_real(file, "BZERO", 0)};
  const std::optional<DataType> exact = exact_type(bitpix, scaling);
  type_ = exact ? *exact : scaled_type(bitpix, scaling);
  auto bytes = static_cast<std::int64_t>(element_size(type_));
  bool is_too_large = false;
  for (const LONGLONG axis : axes_) {
    is_too_large = axis < 0 || __builtin_mul_overflow(bytes, axis, &bytes) || is_too_large;
  }
  if (is_too_large) {
    throw Error(
        Problem::failed, file.subject(),
        fmt::format("has an image of {}, which is more than there can be", fmt::join(axes_, "x")));
  }
  is_exact_ = bitpix > 0 && exact;
  may_hold_infinity_ = bitpix < 0;
  has_blanks_ = bitpix > 0 ? !exact : is_compressed_;
}

void Pixels::read(const File& file, const Section& section, std::span<std::byte> pixels) const {
  read(file, Part{1, section}, pixels);
}

void Pixels::read_planes(const File& file, std::uint64_t first, std::span<std::byte> pixels) const {
  std::uint64_t elements = 1;  // of a plane
  Section section;
  for (std::size_t axis = 0; axis + 1 < axes_.size(); ++axis) {
    elements *= static_cast<std::uint64_t>(axes_[axis]);
    section.push_back({1, static_cast<long>(axes_[axis]), 1});
  }
  if (!is_compressed_) {
    return read(file, Part{static_cast<LONGLONG>(first * elements) + 1, {}}, pixels);
  }
  const std::uint64_t planes = pixels.size() / element_size(type_) / elements;
  section.push_back({static_cast<long>(first) + 1, static_cast<long>(first + planes), 1});
  read(file, Part{1, section}, pixels);
}

void Pixels::read(const File& file, const Part& part, std::span<std::byte> pixels) const {
  // What a pixel without a value becomes. Only in scaled integers, and in floats that may have been
  // compressed as such, are such pixels looked for: all else is taken as it is.
  float nan32 = std::numeric_limits<float>::quiet_NaN();
  double nan64 = std::numeric_limits<double>::quiet_NaN();
  void* const nan = type_ == DataType::float32 ? static_cast<void*>(&nan32) : &nan64;
  const bool has_any = read_into(file, part, pixels, has_blanks_ ? nan : nullptr);
  if (has_any && may_hold_infinity_) {
    type_ == DataType::float32 ? restore_infinity<float>(file, part, pixels)
                               : restore_infinity<double>(file, part, pixels);
  }
}

void Pixels::write(const File& file, const Section& section, std::span<std::byte> pixels) const {
  std::vector<long> first;
  std::vector<long> last;
  for (const Range& range : section) {
    first.push_back(range.first);
    last.push_back(range.last);
  }
  file.call(&Functions::fits_write_subset, cfitsio_type(type_), first.data(), last.data(),
            static_cast<void*>(pixels.data()));
}

/// True where there was a pixel without a value.
bool Pixels::read_into(const File& file, const Part& part, std::span<std::byte> pixels,
                       void* blank) const {
  const int type = cfitsio_type(type_);
  int any_blank = 0;
  if (part.section.empty()) {
    file.call(&Functions::fits_read_img, type, part.first,
              static_cast<LONGLONG>(pixels.size() / element_size(type_)), blank,
              static_cast<void*>(pixels.data()), &any_blank);
    return any_blank != 0;
  }
  std::vector<long> first;
  std::vector<long> last;
  std::vector<long> step;
  for (const Range& range : part.section) {
    first.push_back(range.first);
    last.push_back(range.last);
    step.push_back(range.step);
  }
  file.call(&Functions::fits_read_subset, type, first.data(), last.data(), step.data(), blank,
            static_cast<void*>(pixels.data()), &any_blank);
  return any_blank != 0;
}

/// cfitsio takes infinity for no value in the tiles that hold floats as they are, among others
/// that hold integers. Without a value to put in its place it is read.
template <class T>
void Pixels::restore_infinity(const File& file, const Part& part,
                              std::span<std::byte> pixels) const {
  std::vector<T> values(pixels.size() / sizeof(T));
  read_into(file, part, std::as_writable_bytes(std::span(values)), nullptr);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isinf(values[i])) {
      std::memcpy(pixels.data() + i * sizeof(T), &values[i], sizeof(T));
    }
  }
}

}  // namespace shmim::fits
