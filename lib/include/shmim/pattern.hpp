#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/reference.hpp"

namespace shmim {

/// True if a name holds one of the characters that make it a shell pattern: * ? [
[[nodiscard]] SHMIM_EXPORT bool is_pattern(std::string_view name) noexcept;

/// Reads what a user writes to name several streams: a reference whose name may be a shell pattern,
/// as in `tui16>cam*`. The brackets of a pattern are not a slice. An address alone means all
/// streams there. Throws Error (usage).
[[nodiscard]] SHMIM_EXPORT Reference parse_pattern(std::string_view text);

/// True if `pattern` means the stream `name` of that type; a pattern with a type means no file that
/// is not a readable stream (`type` is nullopt).
[[nodiscard]] SHMIM_EXPORT bool matches(const Reference& pattern, std::string_view name,
                                        std::optional<DataType> type);
/// True if one of the shell patterns means the name.
[[nodiscard]] SHMIM_EXPORT bool matches_any(std::span<const std::string> patterns,
                                            const std::string& name);

}  // namespace shmim
