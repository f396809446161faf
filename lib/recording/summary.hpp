#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "recording/journal.hpp"

namespace shmim::recording {

/// A keyword that changed while the stream was recorded, and has a column.
struct ChangingKeyword {
  enum class Kind { integer, real, text };
  std::string name;
  std::string comment;
  Kind kind = Kind::integer;
};

/// What a journal says of all its frames together, or of the first `limit`.
struct Summary {
  std::uint64_t frames = 0;
  std::uint64_t missed = 0;
  /// First and last cnt0 of the frames that are lacking, as far as they are told apart.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lost;
  Tai begin = never;  ///< acquisition of the first frame that has a time
  Tai end = never;
  std::vector<ChangingKeyword> changing;
};
[[nodiscard]] Summary summarize(const std::filesystem::path& journal, std::uint64_t limit);

}  // namespace shmim::recording
