#pragma once

#include <optional>
#include <string>

#include "shmim/stream.hpp"

namespace shmim {

/// What has the name of a stream that lost it.
struct Successor {
  enum class Kind {
    none,       ///< nothing has: the stream was removed
    half_made,  ///< another program is making a stream there: look again
    differs,    ///< a stream of another type or size
    same,       ///< a stream whose frames are alike: one can go on with it
  };
  Kind kind = Kind::none;
  std::optional<Stream> stream;  ///< of `same`
  std::string difference;        ///< of `differs`: `size is 4x4, not 8x8`
};

/// Looks for a stream to go on with. Throws Error if what has the name now cannot be opened.
Successor find_successor(const Stream& stream);

}  // namespace shmim
