#include "common/app/file_reference.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <shmim/directory.hpp>

namespace shmim::tools {

FileReference file_reference(std::string_view text) {
  if (text.find("://") != text.npos) {
    return {std::string(text), ""};  // the path is that of a socket, or none
  }
  std::size_t end = text.find(stream_suffix);
  while (end != text.npos && end + stream_suffix.size() != text.size() &&
         text[end + stream_suffix.size()] != '[') {
    end = text.find(stream_suffix, end + 1);
  }
  if (end == text.npos) {
    return {std::string(text), ""};
  }
  const std::string_view slice = text.substr(end + stream_suffix.size());
  const std::string_view file = text.substr(0, end);
  const std::size_t slash = file.rfind('/');
  if (slash == file.npos) {
    return {fmt::format("{}{}", file, slice), ""};
  }
  // Modifiers and a legacy prefix end with these.
  const std::size_t before = file.find_last_of(":>", file.find('/'));
  const std::size_t begin = before == file.npos ? 0 : before + 1;
  return {fmt::format("{}{}{}", file.substr(0, begin), file.substr(slash + 1), slice),
          std::string(file.substr(begin, std::max(slash - begin, std::size_t{1})))};
}

}  // namespace shmim::tools
