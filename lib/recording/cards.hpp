#pragma once

#include <string_view>

namespace shmim::recording {

/// A card of a recording's cube; n is a number in the place of its end. Anybody may have keywords
/// of these names: the comments tell ours. They are short, since a card cuts them.
struct Card {
  std::string_view name;
  std::string_view comment;
};
inline constexpr Card image_type_card{"IMGTYPE", "image type of the stream"};
inline constexpr Card trace_card{"TRACEn", "first frame"};
inline constexpr Card trigger_card{"RECTRIG", "what had it recorded"};
inline constexpr Card trigger_stream_card{"RECTRIGS", "stream in which that was seen"};
inline constexpr Card trigger_time_card{"DATE-TRG", "when that was seen"};
inline constexpr Card missed_card{"MISSED", "frames that are lacking"};
inline constexpr Card lost_card{"LOSTn", "cnt0 of such frames"};
inline constexpr Card left_out_card{"NOCOLUMN", "keywords that changed, in no column"};
inline constexpr Card begin_card{"DATE-OBS", "when the first frame was acquired"};
inline constexpr Card end_card{"DATE-END", "when the last frame was acquired"};

}  // namespace shmim::recording
