#include "common/print/npy_reader.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <shmim/element.hpp>

namespace shmim::tools {
namespace {

[[noreturn]] void refuse_array(const Input& input, const std::string& why) {
  throw Error(Problem::failed, input.name(), why);
}

}  // namespace

std::optional<NpyHeader> peek_npy_header(Input& input) {
  if (input.peek(npy_start_bytes).empty()) {
    return std::nullopt;
  }
  const auto bytes = npy_header_bytes(input.text_ahead());
  if (!bytes) {
    refuse_array(input, "what stands here is not the header of an npy array");
  }
  input.peek(*bytes);
  const auto array = parse_npy_header(input.text_ahead().substr(0, *bytes));
  if (input.ahead().size() < *bytes || !array) {
    refuse_array(input, "the header of its npy array cannot be read");
  }
  return NpyHeader{*bytes, *array};
}

DataType require_npy_type(const Input& input, const NpyArray& array, std::size_t of_frames) {
  const auto fits = [](std::uint64_t length) { return 0 < length && length <= UINT32_MAX; };
  std::uint64_t bytes = array.type ? element_size(*array.type) : 1;
  bool is_too_large = false;
  for (const std::uint64_t length : array.axes) {
    is_too_large = __builtin_mul_overflow(bytes, length, &bytes) || is_too_large;
  }
  if (!array.type || array.axes.empty() || array.axes.size() > layout::max_axes + of_frames ||
      !std::ranges::all_of(array.axes, fits) || is_too_large || bytes > INT64_MAX) {
    refuse_array(input, fmt::format("is an array of {} and the shape ({}), which no stream can be",
                                    array.descr, fmt::join(array.axes, ", ")));
  }
  return *array.type;
}

void require_c_order(const Input& input, const NpyArray& array) {
  if (array.is_fortran) {
    refuse_array(
        input,
        "is an npy array in Fortran order, whose frames do not stand one behind the other; "
        "save numpy.ascontiguousarray(array)");
  }
}

void swap_bytes(std::span<std::byte> frame, DataType type) {
  const bool is_complex = type == DataType::complex64 || type == DataType::complex128;
  const std::size_t number = element_size(type) / (is_complex ? 2 : 1);
  for (std::size_t at = 0; at < frame.size(); at += number) {
    std::ranges::reverse(frame.subspan(at, number));
  }
}

}  // namespace shmim::tools
