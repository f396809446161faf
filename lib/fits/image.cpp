#include "fits/image.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include "fits/cards.hpp"
#include "fits/cfitsio.hpp"
#include "shmim/error.hpp"
#include "shmim/float16.hpp"

namespace shmim::fits {
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

template <std::size_t bytes>
using BitsOf = std::conditional_t<
    bytes == 1, std::uint8_t,
    std::conditional_t<bytes == 2, std::uint16_t,
                       std::conditional_t<bytes == 4, std::uint32_t, std::uint64_t>>>;

/// What FITS turns over in a number of type T.
template <class T, class Bits>
constexpr Bits turned_bits() noexcept {
  const bool is_turned =
      std::is_same_v<T, std::int8_t> || (std::is_unsigned_v<T> && !std::is_same_v<T, std::uint8_t>);
  return is_turned ? static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1)) : Bits{0};
}

template <class Bits>
Bits swapped(Bits bits) noexcept {
  if constexpr (sizeof bits == 2) {
    return __builtin_bswap16(bits);
  } else if constexpr (sizeof bits == 4) {
    return __builtin_bswap32(bits);
  } else if constexpr (sizeof bits == 8) {
    return __builtin_bswap64(bits);
  } else {
    return bits;
  }
}

template <class Bits>
void encode_bits(std::span<const std::byte> numbers, std::byte* out, Bits turned) {
  for (std::size_t at = 0; at < numbers.size(); at += sizeof(Bits)) {
    Bits bits{};
    std::memcpy(&bits, numbers.data() + at, sizeof bits);
    bits = swapped(static_cast<Bits>(bits ^ turned));
    std::memcpy(out + at, &bits, sizeof bits);
  }
}

void encode_widened(std::span<const std::byte> halves, std::byte* out) {
  for (std::size_t at = 0; at < halves.size(); at += sizeof(std::uint16_t)) {
    std::uint16_t half = 0;
    std::memcpy(&half, halves.data() + at, sizeof half);
    const float value = float16_to_float(half);
    encode_bits<std::uint32_t>(std::as_bytes(std::span(&value, 1)), out + 2 * at, 0);
  }
}

void create_hdu(const File& file, int image, std::vector<LONGLONG> axes) {
  file.call(&Functions::fits_create_imgll, image, static_cast<int>(axes.size()), axes.data());
  // cfitsio opens a primary header with two comments on the history of FITS.
  while (file.call_unless(KEY_NO_EXIST, &Functions::fits_delete_key, "COMMENT")) {
  }
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

/// The header that `create` begins, with the cards behind what it wrote.
template <class Create>
std::vector<std::byte> header_with(Hdu hdu, const Create& create,
                                   const std::vector<std::string>& cards) {
  const File file = File::create(8 * std::size_t{IOBUFLEN}, "FITS");
  if (hdu == Hdu::extension) {
    create_hdu(file, BYTE_IMG, {});
  }
  create(file);
  const int first = write_cards(file, cards);
  std::vector<std::byte> header = take_header(file);
  restore_names(header, first, cards);
  return header;
}

}  // namespace

bool is_alien(DataType type) { return elements_of(type).alien; }

int image_code(DataType type) { return elements_of(type).image; }

std::vector<LONGLONG> image_axes(DataType type, const Shape& shape) {
  std::vector<LONGLONG> axes;
  if (const int parts = elements_of(type).parts; parts > 1) {
    axes.push_back(parts);
  }
  const auto lengths = shape.lengths();
  axes.insert(axes.end(), lengths.begin(), lengths.end());
  return axes;
}

std::vector<std::string> image_cards(DataType type, std::span<const Keyword> keywords) {
  std::vector<std::string> cards;
  const auto add = [&cards, type](const Keyword& keyword) {
    if (!why_left_out(keyword, type)) {
      cards.push_back(make_card(keyword));
    }
  };
  const bool alien = is_alien(type);
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

std::vector<std::byte> image_header(Hdu hdu, DataType type, const std::vector<LONGLONG>& axes,
                                    const std::vector<std::string>& cards) {
  // Of an image of one element, or cfitsio would fill as much memory as the pixels take.
  const auto create = [&](const File& file) {
    create_hdu(file, elements_of(type).image, std::vector<LONGLONG>(axes.size(), 1));
  };
  std::vector<std::byte> header = header_with(hdu, create, cards);
  set_axes(header, axes);
  return header;
}

std::vector<std::byte> table_header(const std::string& name, const std::vector<Column>& columns,
                                    LONGLONG rows, const std::vector<std::string>& cards) {
  std::vector<char*> names;
  std::vector<char*> forms;
  std::vector<char*> units;
  std::vector<Column> copies = columns;  // cfitsio asks for what it may write to
  for (Column& column : copies) {
    names.push_back(column.name.data());
    forms.push_back(column.form.data());
    units.push_back(column.unit.data());
  }
  LONGLONG row = 0;
  const auto create = [&](const File& file) {
    file.call(&Functions::fits_create_tbl, int{BINARY_TBL}, LONGLONG{0},
              static_cast<int>(copies.size()), names.data(), forms.data(), units.data(),
              name.c_str());
    for (std::size_t column = 0; column < columns.size(); ++column) {
      file.call(&Functions::fits_modify_comment, fmt::format("TTYPE{}", column + 1).c_str(),
                columns[column].comment.c_str());
    }
    file.call(&Functions::fits_read_key, int{TLONGLONG}, "NAXIS1", &row, nullptr);
  };
  std::vector<std::byte> header = header_with(Hdu::extension, create, cards);
  set_axes(header, {row, rows});
  return header;
}

std::size_t encoded_bytes(DataType type, std::size_t bytes) noexcept {
  return type == DataType::float16 ? 2 * bytes : bytes;
}

void encode(DataType type, std::span<const std::byte> elements, std::span<std::byte> out) {
  visit(type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_same_v<T, Float16>) {
      encode_widened(elements, out.data());
    } else if constexpr (std::is_arithmetic_v<T>) {
      using Bits = BitsOf<sizeof(T)>;
      encode_bits<Bits>(elements, out.data(), turned_bits<T, Bits>());
    } else {
      using Bits = BitsOf<sizeof(typename T::value_type)>;
      encode_bits<Bits>(elements, out.data(), 0);
    }
  });
}

void encode_in_pieces(DataType type, std::span<const std::byte> elements, const WriteBytes& write) {
  constexpr std::size_t piece = std::size_t{64} << 10;
  std::vector<std::byte> numbers;
  for (std::size_t at = 0; at < elements.size(); at += piece) {
    const auto part = elements.subspan(at, std::min(piece, elements.size() - at));
    numbers.resize(encoded_bytes(type, part.size()));
    encode(type, part, numbers);
    write(numbers);
  }
}

}  // namespace shmim::fits
