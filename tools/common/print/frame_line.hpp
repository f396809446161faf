#pragma once

#include <string>
#include <string_view>

#include <shmim/shmim.hpp>

#include "common/print/json.hpp"

namespace shmim::tools {

// A line a frame: what --print and --json tell of one, in all tools.

/// The fields of frame_record(), and keywords.
inline constexpr std::string_view frame_fields =
    "name cnt0 cnt1 atime writetime latency missed semaphore kw.NAME";

/// The identity of a frame that was taken from `stream`. What is not known of it is null.
Record frame_record(const Stream& stream, const TakenFrame& frame);

/// `text` filled in with a record of a frame and the keywords that `stream` has now: they have no
/// copy of each frame. Throws UsageError.
std::string frame_line(const std::string& text, const Stream& stream, const Record& record);

/// Throws UsageError for a mistake in `text`, so that it is told before a wait and not after.
/// `more` is what a record will have besides.
void check_frame_line(const std::string& text, const std::string& name, const Record& more);

}  // namespace shmim::tools
