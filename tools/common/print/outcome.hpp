#pragma once

#include <optional>
#include <string>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// What shmim-create and shmim-connect tell of a stream.
struct OutcomeLine {
  const char* outcome = "";  ///< `created`, `connected`
  const Stream& stream;
  std::optional<SearchResult> found = {};  ///< where it was found, if it was looked for

  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] std::string to_json_line() const;
};

}  // namespace shmim::tools
