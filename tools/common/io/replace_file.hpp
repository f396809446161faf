#pragma once

#include <filesystem>
#include <string_view>

namespace shmim::tools {

/// Puts a file of that text in the place of `path`, at once: who reads it finds the old text or the
/// new, whole. Throws Error, and leaves what was there.
void replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace shmim::tools
