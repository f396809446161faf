#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "shmim/export.hpp"

namespace shmim {

/// All of a small file, as /proc has them; nothing where it cannot be read, and errno says why. Not
/// by way of a stream of the C++ library: the first of them sets up a locale, and every tool that
/// asks for the name of a process would wait for that.
SHMIM_EXPORT std::optional<std::string> read_text(const std::filesystem::path& path);

}  // namespace shmim
