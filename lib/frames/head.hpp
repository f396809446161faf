#pragma once

#include <string>
#include <vector>

#include "frames/cbor.hpp"
#include "shmim/export.hpp"
#include "shmim/frames.hpp"

namespace shmim {

/// The keywords of the frame before, as they were said: most frames say the same again, and to
/// understand them takes longer than all else of a frame.
struct KnownKeywords {
  std::string said;
  std::vector<Keyword> keywords;
};

/// Reads all of a frame that comes before its pixels. Throws Error (failed).
[[nodiscard]] SHMIM_EXPORT FrameRecord read_head(CborReader& reader, KnownKeywords& known);

}  // namespace shmim
