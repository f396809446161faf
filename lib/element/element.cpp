#include "shmim/element.hpp"

#include <algorithm>
#include <string>

#include "shmim/error.hpp"

namespace shmim {
namespace {

struct Names {
  DataType type;
  std::string_view name;
  std::string_view prefix;
};

constexpr std::array all_names{
    Names{DataType::uint8, "uint8", "tui8"},
    Names{DataType::int8, "int8", "tsi8"},
    Names{DataType::uint16, "uint16", "tui16"},
    Names{DataType::int16, "int16", "tsi16"},
    Names{DataType::uint32, "uint32", "tui32"},
    Names{DataType::int32, "int32", "tsi32"},
    Names{DataType::uint64, "uint64", "tui64"},
    Names{DataType::int64, "int64", "tsi64"},
    Names{DataType::float32, "float32", "tf32"},
    Names{DataType::float64, "float64", "tf64"},
    Names{DataType::complex64, "complex64", "tc64"},
    Names{DataType::complex128, "complex128", "tc128"},
    Names{DataType::float16, "float16", "tf16"},
};

/// What the types are called elsewhere: by their bits, in C, and by NumPy.
struct Alias {
  std::string_view name;
  DataType type;
};
constexpr std::array aliases{
    Alias{"u8", DataType::uint8},        Alias{"i8", DataType::int8},
    Alias{"u16", DataType::uint16},      Alias{"i16", DataType::int16},
    Alias{"u32", DataType::uint32},      Alias{"i32", DataType::int32},
    Alias{"u64", DataType::uint64},      Alias{"i64", DataType::int64},
    Alias{"f16", DataType::float16},     Alias{"f32", DataType::float32},
    Alias{"f64", DataType::float64},     Alias{"half", DataType::float16},
    Alias{"float", DataType::float32},   Alias{"double", DataType::float64},
    Alias{"c64", DataType::complex64},   Alias{"c128", DataType::complex128},
    Alias{"|u1", DataType::uint8},       Alias{"|i1", DataType::int8},
    Alias{"<u2", DataType::uint16},      Alias{"<i2", DataType::int16},
    Alias{"<u4", DataType::uint32},      Alias{"<i4", DataType::int32},
    Alias{"<u8", DataType::uint64},      Alias{"<i8", DataType::int64},
    Alias{"<f2", DataType::float16},     Alias{"<f4", DataType::float32},
    Alias{"<f8", DataType::float64},     Alias{"<c8", DataType::complex64},
    Alias{"<c16", DataType::complex128},
};

constexpr auto all_types = [] {
  std::array<DataType, all_names.size()> types{};
  std::transform(all_names.begin(), all_names.end(), types.begin(),
                 [](const Names& names) { return names.type; });
  return types;
}();

std::optional<DataType> type_with(std::string_view Names::*field, std::string_view text) noexcept {
  const auto* names = std::find_if(all_names.begin(), all_names.end(), [=](const Names& candidate) {
    return candidate.*field == text;
  });
  return names == all_names.end() ? std::nullopt : std::optional(names->type);
}

std::string_view field_of(DataType type, std::string_view Names::*field) noexcept {
  const auto* names = std::find_if(all_names.begin(), all_names.end(),
                                   [=](const Names& candidate) { return candidate.type == type; });
  return names == all_names.end() ? "unknown" : names->*field;
}

}  // namespace

std::string_view to_string(DataType type) noexcept { return field_of(type, &Names::name); }

std::optional<DataType> parse_data_type(std::string_view name) noexcept {
  const auto* alias =
      std::ranges::find_if(aliases, [=](const Alias& known) { return known.name == name; });
  return alias != aliases.end() ? std::optional(alias->type) : type_with(&Names::name, name);
}

std::span<const DataType> data_types() noexcept { return all_types; }

std::string_view legacy_prefix(DataType type) noexcept { return field_of(type, &Names::prefix); }

std::optional<DataType> parse_legacy_prefix(std::string_view prefix) noexcept {
  return type_with(&Names::prefix, prefix);
}

void detail::throw_unknown_type(DataType type) {
  throw Error(Problem::bad_header, "",
              std::to_string(static_cast<int>(type)) + " is not the code of a data type");
}

}  // namespace shmim
