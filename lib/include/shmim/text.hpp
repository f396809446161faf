#pragma once

#include <string>
#include <string_view>

#include "shmim/export.hpp"

namespace shmim {

/// Text of unknown origin made safe for a terminal: control characters (C1 and those that turn the
/// direction of text among them) and what is no UTF-8 become `\xNN`, byte by byte.
[[nodiscard]] SHMIM_EXPORT std::string printable(std::string_view text);

}  // namespace shmim
