#include "common/print/npy.hpp"

#include <algorithm>
#include <bit>
#include <complex>

#include <fmt/format.h>
#include <shmim/element.hpp>
#include <shmim/text.hpp>

namespace shmim::tools {
namespace {

constexpr std::string_view npy_magic = "\x93NUMPY";

/// `<u2`, as NumPy writes a type.
std::string npy_type(DataType type) {
  return visit(type, []<class T>(std::type_identity<T>) {
    const char kind = std::is_unsigned_v<T>                                       ? 'u'
                      : std::is_integral_v<T>                                     ? 'i'
                      : std::is_floating_point_v<T> || std::is_same_v<T, Float16> ? 'f'
                                                                                  : 'c';
    return fmt::format("{}{}{}", sizeof(T) == 1 ? '|' : '<', kind, sizeof(T));
  });
}

/// What stands behind `'key':` in the dictionary of a header.
std::string_view value_of(std::string_view dictionary, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t at = dictionary.find(quoted);
  if (at == dictionary.npos) {
    return {};
  }
  const std::string_view value = dictionary.substr(at + quoted.size());
  return value.substr(std::min(value.find_first_not_of(' '), value.size()));
}

std::optional<std::vector<std::uint64_t>> axes_from(std::string_view tuple) {
  const std::size_t end = tuple.find(')');
  if (!tuple.starts_with('(') || end == tuple.npos) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> axes;
  for (std::string_view rest = tuple.substr(1, end - 1); !rest.empty();) {
    std::string_view axis = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(axis.size() + 1, rest.size()));
    axis.remove_prefix(std::min(axis.find_first_not_of(' '), axis.size()));
    if (axis.empty()) {
      continue;
    }
    const auto length = parse_number<std::uint64_t>(axis);
    if (!length) {
      return std::nullopt;
    }
    axes.push_back(*length);
  }
  return axes;
}

}  // namespace

std::string npy_header(DataType type, const Shape& shape, std::optional<std::uint64_t> frames,
                       std::size_t bytes) {
  std::string axes = frames ? fmt::format("{}, ", *frames) : "";
  for (std::size_t axis = shape.axes(); axis > 0; --axis) {
    const bool is_alone = shape.axes() == 1 && !frames;
    axes += fmt::format("{}{}", shape[axis - 1], axis > 1 ? ", " : is_alone ? "," : "");
  }
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                       npy_type(type), axes);
  constexpr std::size_t before = 10;  // magic, version and the length itself
  const std::size_t whole = (before + dictionary.size() + 1 + 63) / 64 * 64;
  dictionary.resize(std::max(whole, bytes) - before - 1, ' ');
  dictionary += '\n';
  std::string header(npy_magic);
  header += {'\1', '\0'};
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

std::optional<std::size_t> npy_header_bytes(std::string_view start) {
  if (start.size() < npy_start_bytes || !start.starts_with(npy_magic)) {
    return std::nullopt;
  }
  const char version = start[npy_magic.size()];
  const std::size_t digits = version == 1 ? 2 : 4;
  const std::size_t before = npy_magic.size() + 2;
  std::size_t bytes = 0;
  for (std::size_t digit = digits; digit > 0; --digit) {
    bytes = bytes << 8 | static_cast<unsigned char>(start[before + digit - 1]);
  }
  constexpr std::size_t most = std::size_t{1} << 20;
  const bool is_known =
      1 <= version && version <= 3 && bytes <= most && before + digits + bytes >= npy_start_bytes;
  return is_known ? std::optional(before + digits + bytes) : std::nullopt;
}

std::vector<std::uint64_t> npy_axes(const Shape& shape) {
  const auto lengths = shape.lengths();
  return {lengths.rbegin(), lengths.rend()};
}

std::optional<NpyArray> parse_npy_header(std::string_view header) {
  NpyArray array;
  const std::string_view descr = value_of(header, "descr");
  const std::string_view order = value_of(header, "fortran_order");
  const auto axes = axes_from(value_of(header, "shape"));
  const std::size_t end = descr.find('\'', 1);
  const bool is_text = descr.starts_with('\'') && end != descr.npos;
  array.is_fortran = order.starts_with("True");
  if (descr.empty() || !axes || (!array.is_fortran && !order.starts_with("False"))) {
    return std::nullopt;
  }
  array.axes = *axes;
  // Of records the type is a list.
  array.descr = is_text ? descr.substr(1, end - 1) : descr.substr(0, descr.find(']') + 1);
  array.is_big_endian = array.descr.starts_with('>');
  for (const DataType type : data_types()) {
    if (array.descr.size() > 1 &&
        std::string_view(array.descr).substr(1) == npy_type(type).substr(1)) {
      array.type = type;
    }
  }
  return array;
}

}  // namespace shmim::tools
