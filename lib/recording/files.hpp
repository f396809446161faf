#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "recording/journal.hpp"
#include "shmim/recording.hpp"

namespace shmim::recording {

/// What a recording is called while it is written, and afterwards.
struct Names {
  std::filesystem::path whole;
  std::filesystem::path pixels;
  std::filesystem::path journal;
};
[[nodiscard]] Names names_of(const std::filesystem::path& file);

/// The header of the primary HDU as it is at the beginning, with room for what is known at the end.
[[nodiscard]] std::vector<std::byte> first_header(const RecordedStream& stream);

/// Makes a whole file of the pixels and the journal, and gives it its name. Gives the number of
/// frames. The journal is locked by the caller.
std::uint64_t make_whole(const Names& names, bool replaces);

}  // namespace shmim::recording
