#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "fits/frame.hpp"
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
  int parts = 1;       ///< numbers an element is made of
  bool alien = false;  ///< FITS has no such type
};

Elements elements_of(DataType type) {
  switch (type) {
    case DataType::uint8:
      return {BYTE_IMG};
    case DataType::int8:
      return {SBYTE_IMG};
    case DataType::uint16:
      return {USHORT_IMG};
    case DataType::int16:
      return {SHORT_IMG};
    case DataType::uint32:
      return {ULONG_IMG};
    case DataType::int32:
      return {LONG_IMG};
    case DataType::uint64:
      return {ULONGLONG_IMG};
    case DataType::int64:
      return {LONGLONG_IMG};
    case DataType::float32:
      return {FLOAT_IMG};
    case DataType::float64:
      return {DOUBLE_IMG};
    case DataType::complex64:
      return {FLOAT_IMG, 2, true};
    case DataType::complex128:
      return {DOUBLE_IMG, 2, true};
    case DataType::float16:
      return {FLOAT_IMG, 1, true};
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

/// Numbers as FITS has them: the most significant byte first, and of unsigned ones, and of signed
/// bytes, the top bit turned over, which is what their BZERO says.
template <class Bits>
void append(std::vector<std::byte>& out, std::span<const std::byte> numbers, Bits turned) {
  for (std::size_t at = 0; at < numbers.size(); at += sizeof(Bits)) {
    Bits bits{};
    std::memcpy(&bits, numbers.data() + at, sizeof bits);
    bits = static_cast<Bits>(bits ^ turned);
    for (std::size_t byte = sizeof bits; byte > 0; --byte) {
      out.push_back(static_cast<std::byte>(bits >> (8 * (byte - 1)) & 0xFF));
    }
  }
}

void append_widened(std::vector<std::byte>& out, std::span<const std::byte> halves) {
  for (std::size_t at = 0; at < halves.size(); at += sizeof(std::uint16_t)) {
    std::uint16_t half = 0;
    std::memcpy(&half, halves.data() + at, sizeof half);
    const float value = float16_to_float(half);
    append<std::uint32_t>(out, std::as_bytes(std::span(&value, 1)), 0);
  }
}

/// What FITS turns over in a number of type T.
template <class T, class Bits>
constexpr Bits turned_bits() noexcept {
  const bool is_turned =
      std::is_same_v<T, std::int8_t> || (std::is_unsigned_v<T> && !std::is_same_v<T, std::uint8_t>);
  return is_turned ? static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1)) : Bits{0};
}

template <std::size_t bytes>
using BitsOf = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t,
                       std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

std::vector<std::byte> big_endian(DataType type, std::span<const std::byte> elements) {
  std::vector<std::byte> out;
  out.reserve(elements.size() * (type == DataType::float16 ? 2 : 1));
  visit(type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_same_v<T, Float16>) {
      append_widened(out, elements);
    } else if constexpr (std::is_arithmetic_v<T>) {
      using Bits = BitsOf<sizeof(T)>;
      append<Bits>(out, elements, turned_bits<T, Bits>());
    } else {
      using Bits = BitsOf<sizeof(typename T::value_type)>;
      append<Bits>(out, elements, 0);
    }
  });
  return out;
}

void create_hdu(const File& file, int image, std::vector<LONGLONG> axes) {
  file.call(&Functions::fits_create_imgll, image, static_cast<int>(axes.size()), axes.data());
  // cfitsio opens a primary header with two comments on the history of FITS.
  while (file.call_unless(KEY_NO_EXIST, &Functions::fits_delete_key, "COMMENT")) {
  }
}

std::vector<std::string> cards_of(DataType type, std::span<const Keyword> keywords,
                                  const std::optional<FrameOrigin>& origin) {
  std::vector<std::string> cards;
  const auto add = [&cards, type](const Keyword& keyword) {
    if (!fits::why_left_out(keyword, type)) {
      cards.push_back(fits::make_card(keyword));
    }
  };
  const bool alien = elements_of(type).alien;
  if (alien) {
    add({std::string(type_keyword), std::string(to_string(type)), "element type of the stream"});
  }
  if (origin) {
    for (const Keyword& keyword : fits::frame_keywords(*origin, keywords)) {
      add(keyword);
    }
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

/// Writes the true length of each axis into a header: right-justified, up to column 30 of its card.
void set_axes(std::vector<std::byte>& header, const std::vector<LONGLONG>& axes) {
  constexpr std::size_t value_begin = 10;
  for (std::size_t axis = 1; axis <= axes.size(); ++axis) {
    const std::string name = fmt::format("{:<8}=", fmt::format("NAXIS{}", axis));
    const std::string value = fmt::format("{:>20}", axes[axis - 1]);
    for (auto* card = header.data(); card < header.data() + header.size();
         card += fits::card_bytes) {
      if (std::memcmp(card, name.data(), name.size()) == 0) {
        std::memcpy(card + value_begin, value.data(), value.size());
        break;
      }
    }
  }
}

/// The header of the current HDU, complete with padding.
std::vector<std::byte> take_header(const File& file) {
  file.call(&Functions::fits_flush_file);
  LONGLONG header = 0;
  LONGLONG data = 0;
  LONGLONG end = 0;
  file.call(&Functions::fits_get_hduaddrll, &header, &data, &end);
  const std::span<const std::byte> bytes = file.bytes();
  return {bytes.begin() + header, bytes.begin() + data};
}

}  // namespace

std::vector<std::string> altered_in_fits(DataType type, std::span<const Keyword> keywords) {
  std::vector<std::string> altered;
  for (const Keyword& keyword : keywords) {
    if (const std::optional<std::string> why = fits::why_altered(keyword, type)) {
      altered.push_back(fmt::format("{} ({})", keyword.name.empty() ? "''" : keyword.name, *why));
    }
  }
  return altered;
}

void to_fits(Hdu hdu, DataType type, const Shape& shape, std::span<const std::byte> pixels,
             std::span<const Keyword> keywords, const WriteBytes& write,
             const std::optional<FrameOrigin>& origin) {
  const Elements elements = elements_of(type);
  if (pixels.size() != shape.elements() * element_size(type)) {
    throw Error(Problem::usage, "",
                fmt::format("{} bytes given for {} of {}", pixels.size(), to_string(shape),
                            to_string(type)));
  }
  {
    const File file = File::create(8 * std::size_t{IOBUFLEN}, "FITS");
    if (hdu == Hdu::extension) {
      create_hdu(file, BYTE_IMG, {});
    }
    // Of an image of one element, or cfitsio would fill as much memory as the pixels take.
    const std::vector<LONGLONG> axes = axes_of(shape, elements);
    create_hdu(file, elements.image, std::vector<LONGLONG>(axes.size(), 1));
    const std::vector<std::string> cards = cards_of(type, keywords, origin);
    const int first = write_cards(file, cards);
    std::vector<std::byte> header = take_header(file);
    restore_names(header, first, cards);
    set_axes(header, axes);
    write(header);
  }
  // In pieces: a frame may be all that there is memory for.
  constexpr std::size_t piece = std::size_t{64} << 10;
  std::size_t written = 0;
  for (std::size_t at = 0; at < pixels.size(); at += piece) {
    const std::vector<std::byte> numbers =
        big_endian(type, pixels.subspan(at, std::min(piece, pixels.size() - at)));
    write(numbers);
    written += numbers.size();
  }
  constexpr std::size_t block = 2880;
  write(std::vector<std::byte>((block - written % block) % block));
}

std::vector<std::byte> to_fits(Hdu hdu, DataType type, const Shape& shape,
                               std::span<const std::byte> pixels, std::span<const Keyword> keywords,
                               const std::optional<FrameOrigin>& origin) {
  std::vector<std::byte> bytes;
  const WriteBytes append = [&](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  };
  to_fits(hdu, type, shape, pixels, keywords, append, origin);
  return bytes;
}

}  // namespace shmim
