#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shmim/export.hpp"
#include "shmim/selection.hpp"

namespace shmim {

/// `0:63,*,-*`
[[nodiscard]] SHMIM_EXPORT std::string to_string(const Slice& slice);

/// Reads what stands between the brackets. `column` is where that begins, from 1, for the messages.
/// Throws Error (usage).
[[nodiscard]] SHMIM_EXPORT Slice parse_slice(std::string_view text, std::size_t column = 1);

}  // namespace shmim
