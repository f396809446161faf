#include "play/place.hpp"

#include <fmt/format.h>

#include "common/app/options.hpp"
#include "common/io/exit.hpp"

namespace shmim::tools {

Place parse_place(const std::string& option, const std::string& text) {
  try {
    if (text.starts_with('+')) {
      return parse_duration(text.substr(1));
    }
    if (const auto cnt0 = parse_number<std::uint64_t>(text)) {
      return *cnt0;
    }
    return parse_utc(text);
  } catch (const std::runtime_error&) {
    throw UsageError(fmt::format(
        "{}: '{}' is no cnt0, no time like 2026-11-22T01:52:49.5Z, and no offset like +2.5s",
        option, text));
  }
}

}  // namespace shmim::tools
