#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace shmim::fits {

/// What a gzip file holds, of all its members. Throws Error (failed) where it is damaged.
std::vector<std::byte> gunzip(const std::string& path, const std::string& subject);

}  // namespace shmim::fits
