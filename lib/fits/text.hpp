#pragma once

#include <algorithm>
#include <string_view>

namespace shmim::fits {

/// Without the blanks at both ends.
inline std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// Takes what stands before the next `separator`, and that separator, from the front of `text`.
inline std::string_view take(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return trimmed(part);
}

}  // namespace shmim::fits
