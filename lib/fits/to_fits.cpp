#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "shmim/error.hpp"
#include "shmim/fits.hpp"
#include "shmim/float16.hpp"

namespace shmim {
namespace {

using cfitsio::File;
using cfitsio::Functions;

constexpr std::string_view type_keyword = "SHMIMTYP";

/// How FITS holds the elements of a type.
struct Elements {
  int image = 0;       ///< cfitsio's code of the image to make
  int memory = 0;      ///< cfitsio's code of what is in memory
  int parts = 1;       ///< numbers an element is made of
  bool alien = false;  ///< FITS has no such type
};

Elements elements_of(DataType type) {
  switch (type) {
    case DataType::uint8:
      return {BYTE_IMG, TBYTE};
    case DataType::int8:
      return {SBYTE_IMG, TSBYTE};
    case DataType::uint16:
      return {USHORT_IMG, TUSHORT};
    case DataType::int16:
      return {SHORT_IMG, TSHORT};
    case DataType::uint32:
      return {ULONG_IMG, TUINT};
    case DataType::int32:
      return {LONG_IMG, TINT};
    case DataType::uint64:
      return {ULONGLONG_IMG, TULONGLONG};
    case DataType::int64:
      return {LONGLONG_IMG, TLONGLONG};
    case DataType::float32:
      return {FLOAT_IMG, TFLOAT};
    case DataType::float64:
      return {DOUBLE_IMG, TDOUBLE};
    case DataType::complex64:
      return {FLOAT_IMG, TFLOAT, 2, true};
    case DataType::complex128:
      return {DOUBLE_IMG, TDOUBLE, 2, true};
    case DataType::float16:
      return {FLOAT_IMG, TFLOAT, 1, true};
  }
  throw Error(Problem::usage, "", fmt::format("no data type: {}", static_cast<int>(type)));
}

std::vector<LONGLONG> axes_of(const Shape& shape, const Elements& elements) {
  std::vector<LONGLONG> axes;
  if (elements.parts > 1) {
    axes.push_back(elements.parts);
  }
  for (std::size_t axis = 0; axis < shape.axes(); ++axis) {
    axes.push_back(shape[axis]);
  }
  return axes;
}

std::vector<float> widened(std::span<const std::byte> halves) {
  std::vector<float> floats(halves.size() / sizeof(std::uint16_t));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, halves.data() + i * sizeof half, sizeof half);
    floats[i] = float16_to_float(half);
  }
  return floats;
}

void create_hdu(const File& file, int image, std::vector<LONGLONG> axes) {
  file.call(&Functions::fits_create_imgll, image, static_cast<int>(axes.size()), axes.data());
  // cfitsio opens a primary header with two comments on the history of FITS.
  while (file.call_unless(KEY_NO_EXIST, &Functions::fits_delete_key, "COMMENT")) {
  }
}

std::vector<std::string> cards_of(DataType type, std::span<const Keyword> keywords) {
  std::vector<std::string> cards;
  const auto add = [&cards](const Keyword& keyword) {
    if (std::optional<std::string> card = fits::make_card(keyword)) {
      cards.push_back(*std::move(card));
    }
  };
  const bool alien = elements_of(type).alien;
  if (alien) {
    add({std::string(type_keyword), std::string(to_string(type)), "element type of the stream"});
  }
  for (const Keyword& keyword : keywords) {
    if (!(alien && keyword.name == type_keyword)) {
      add(keyword);
    }
  }
  return cards;
}

/// Gives the number of cards before these.
int write_cards(const File& file, const std::vector<std::string>& cards) {
  int count = 0;
  int more = 0;
  file.call(&Functions::fits_get_hdrspace, &count, &more);
  for (const std::string& card : cards) {
    file.call(&Functions::fits_write_record, card.c_str());
  }
  return count;
}

/// cfitsio writes all names in capitals; this writes ours as they are.
void restore_names(std::vector<std::byte>& hdu, int first, const std::vector<std::string>& cards) {
  auto* at = hdu.data() + static_cast<std::size_t>(first) * fits::card_bytes;
  for (const std::string& card : cards) {
    std::memcpy(at, card.data(), card.size());
    at += fits::card_bytes;
  }
}

void write_pixels(const File& file, DataType type, std::span<const std::byte> pixels) {
  const Elements elements = elements_of(type);
  const std::vector<float> floats =
      type == DataType::float16 ? widened(pixels) : std::vector<float>{};
  const void* data = floats.empty() ? static_cast<const void*>(pixels.data()) : floats.data();
  const std::uint64_t count =
      pixels.size() / element_size(type) * static_cast<unsigned>(elements.parts);
  file.call(&Functions::fits_write_img, elements.memory, LONGLONG{1}, static_cast<LONGLONG>(count),
            const_cast<void*>(data));  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
}

/// The bytes of the current HDU.
std::vector<std::byte> take_hdu(const File& file) {
  file.call(&Functions::fits_flush_file);
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  file.call(&Functions::fits_get_hduaddrll, &header, &data, &end);
  const std::span<const std::byte> bytes = file.bytes();
  return {bytes.begin() + header, bytes.begin() + end};
}

}  // namespace

std::vector<std::byte> to_fits(Hdu hdu, DataType type, const Shape& shape,
                               std::span<const std::byte> pixels,
                               std::span<const Keyword> keywords) {
  const Elements elements = elements_of(type);
  if (pixels.size() != shape.elements() * element_size(type)) {
    throw Error(Problem::usage, "",
                fmt::format("{} bytes given for {} of {}", pixels.size(), to_string(shape),
                            to_string(type)));
  }
  // Room for most headers: what does not fit makes cfitsio move the pixels to a larger block.
  constexpr std::size_t headers = 8 * std::size_t{IOBUFLEN};
  const std::size_t widening = type == DataType::float16 ? 2 : 1;
  const File file = File::create(headers + pixels.size() * widening, "FITS");
  if (hdu == Hdu::extension) {
    create_hdu(file, BYTE_IMG, {});
  }
  create_hdu(file, elements.image, axes_of(shape, elements));
  const std::vector<std::string> cards = cards_of(type, keywords);
  const int first = write_cards(file, cards);
  write_pixels(file, type, pixels);
  std::vector<std::byte> bytes = take_hdu(file);
  restore_names(bytes, first, cards);
  return bytes;
}

}  // namespace shmim
