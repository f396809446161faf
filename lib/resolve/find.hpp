#pragma once

#include "shmim/resolve.hpp"

namespace shmim {

/// The first two places, which hold streams; the others hold files.
SearchResult find_in_memory(const Reference& reference, const SearchPath& search_path);

}  // namespace shmim
