#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shmim/fits.hpp"
#include "shmim/keywords.hpp"

namespace shmim::fits {

/// What is written of a frame beside the keywords, and without what one of them says already.
std::vector<Keyword> frame_keywords(const FrameOrigin& origin, std::span<const Keyword> keywords);

/// True of what frame_keywords() made, by its name and comment; `frame` is told what it says.
bool take_frame_keyword(const Keyword& keyword, std::optional<FrameInfo>& frame);

}  // namespace shmim::fits
