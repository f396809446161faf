#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "recording/journal.hpp"
#include "recording/summary.hpp"
#include "shmim/fits.hpp"
#include "shmim/recording.hpp"

namespace shmim::recording {

/// What a recording is called while it is written, and afterwards.
struct Names {
  std::filesystem::path whole;
  std::filesystem::path pixels;
  std::filesystem::path journal;
};
[[nodiscard]] Names names_of(const std::filesystem::path& file);

/// A file, of any kind, or a link to nothing: no file can be made there.
[[nodiscard]] bool is_there(const std::filesystem::path& path) noexcept;

/// Has the name of the file on the disk.
void sync_directory(const std::filesystem::path& file);

/// The header of the primary HDU as it is at the beginning, with room for what is known at the end.
/// Of so many frames, the first of them acquired then, as far as that is known.
[[nodiscard]] std::vector<std::byte> first_header(const RecordedStream& stream,
                                                  std::uint64_t frames = 0, Tai begin = never);
/// As it is at the end.
[[nodiscard]] std::vector<std::byte> last_header(const Beginning& beginning,
                                                 const Summary& summary);

/// Writes what comes behind the pixels: the table, from the journal.
void write_table(const WriteBytes& write, const std::filesystem::path& journal,
                 const Beginning& beginning, const Summary& summary);

/// Makes a whole file of the pixels and the journal, and gives it its name. Gives the number of
/// frames. The journal is locked by the caller.
std::uint64_t make_whole(const Names& names, bool replaces);

}  // namespace shmim::recording
