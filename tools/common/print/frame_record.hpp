#pragma once

#include <string>

#include <shmim/frames.hpp>
#include <shmim/shmim.hpp>

namespace shmim::tools {

/// All that is known of a frame of `stream` of which `selection` was taken; its times on TAI.
[[nodiscard]] FrameRecord record_of(const Stream& stream, const TakenFrame& taken,
                                    const Selection& selection);

}  // namespace shmim::tools
