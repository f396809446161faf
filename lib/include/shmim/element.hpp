#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// An IEEE 754 binary16, as the array holds it; float16.hpp has its value.
struct Float16 {
  std::uint16_t bits = 0;
};

/// `uint16`, `float32`, `complex64`, ...; `unknown` for a code that is not a data type.
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(DataType type) noexcept;
/// The type of that name, or of what it is called elsewhere: `u16`, `f32`, `float`, `double`, and
/// NumPy's `<u2`; nullopt if there is none.
[[nodiscard]] SHMIM_EXPORT std::optional<DataType> parse_data_type(std::string_view name) noexcept;
/// Every data type, in the order of the codes.
[[nodiscard]] SHMIM_EXPORT std::span<const DataType> data_types() noexcept;
/// `tf32`, as in the legacy prefix `tf32>`.
[[nodiscard]] SHMIM_EXPORT std::string_view legacy_prefix(DataType type) noexcept;
/// The type of that legacy prefix, without its `>`; nullopt if there is none.
[[nodiscard]] SHMIM_EXPORT std::optional<DataType> parse_legacy_prefix(
    std::string_view prefix) noexcept;

namespace detail {
/// Throws Error (bad_header).
[[noreturn]] SHMIM_EXPORT void throw_unknown_type(DataType type);
}  // namespace detail

/// Calls visit(std::type_identity<T>{}) with the C++ type of the elements: std::uint8_t ...
/// std::int64_t, float, double, std::complex<float>, std::complex<double>, Float16. The one place
/// where a type of the file becomes a type of the language. Throws Error (bad_header) for a code
/// that is not a data type.
template <class Visit>
decltype(auto) visit(DataType type, Visit&& visit) {
  switch (type) {
    case DataType::uint8:
      return visit(std::type_identity<std::uint8_t>{});
    case DataType::int8:
      return visit(std::type_identity<std::int8_t>{});
    case DataType::uint16:
      return visit(std::type_identity<std::uint16_t>{});
    case DataType::int16:
      return visit(std::type_identity<std::int16_t>{});
    case DataType::uint32:
      return visit(std::type_identity<std::uint32_t>{});
    case DataType::int32:
      return visit(std::type_identity<std::int32_t>{});
    case DataType::uint64:
      return visit(std::type_identity<std::uint64_t>{});
    case DataType::int64:
      return visit(std::type_identity<std::int64_t>{});
    case DataType::float32:
      return visit(std::type_identity<float>{});
    case DataType::float64:
      return visit(std::type_identity<double>{});
    case DataType::complex64:
      return visit(std::type_identity<std::complex<float>>{});
    case DataType::complex128:
      return visit(std::type_identity<std::complex<double>>{});
    case DataType::float16:
      return visit(std::type_identity<Float16>{});
  }
  detail::throw_unknown_type(type);
}

}  // namespace shmim
