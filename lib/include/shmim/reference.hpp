#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/slice.hpp"

namespace shmim {

/// Modifiers `S` and `L`.
enum class Location { any, shared, local };
/// Modifiers `E` and `N`.
enum class Existence { any, must_exist, must_be_new };

/// What a user writes to name a stream: `@SE:tf32>wfs[0:63,0:63]`.
struct Reference {
  Location location = Location::any;
  Existence existence = Existence::any;
  std::optional<DataType> type;  ///< demanded of the stream
  std::string name;
  Slice slice;
  std::string text;  ///< as it was written
};

/// Throws Error (usage), naming what is wrong and, where that helps, the column (from 1).
[[nodiscard]] SHMIM_EXPORT Reference parse_reference(std::string_view text);

/// Why this cannot be a stream's name; nullopt if it can.
[[nodiscard]] SHMIM_EXPORT std::optional<std::string> name_error(std::string_view name);

}  // namespace shmim
