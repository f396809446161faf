#include "fits/frame.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <variant>

#include "shmim/clock.hpp"
#include "shmim/error.hpp"

namespace shmim::fits {
namespace {

// Anybody may have keywords of these names: the comments tell ours.
constexpr std::string_view of_stream = "stream";
constexpr std::string_view of_cnt0 = "frames published, up to this one";
constexpr std::string_view of_cnt1 = "slice written last";
constexpr std::string_view of_scale = "time scale of the dates";

/// The cards of a time: the date as text, for its nanoseconds, and as a number.
struct TimeCards {
  std::string_view date;
  std::string_view day;
  std::string_view comment;
  Tai FrameInfo::*time;
};
constexpr std::array<TimeCards, 2> times{{
    {"DATE-OBS", "MJD-OBS", "when the frame was acquired", &FrameInfo::atime},
    {"DATE-WRT", "MJD-WRT", "when the frame was written", &FrameInfo::writetime},
}};

/// FITS knows no Z: TIMESYS says it.
std::string iso_date(Tai time) {
  std::string text = to_utc(time);
  text.pop_back();
  return text;
}

double modified_julian_day(Tai time) {
  constexpr std::int64_t nanoseconds_of_day = 86'400'000'000'000;
  constexpr double of_1970 = 40587;
  const std::int64_t since_1970 = elapsed(Tai{tai_offset()}, time).count();
  const std::int64_t days = since_1970 / nanoseconds_of_day;
  const std::int64_t rest = since_1970 % nanoseconds_of_day;
  return of_1970 + static_cast<double>(days) +
         static_cast<double>(rest) / static_cast<double>(nanoseconds_of_day);
}

const Keyword* find(std::span<const Keyword> keywords, std::string_view name) {
  const auto found = std::find_if(keywords.begin(), keywords.end(),
                                  [name](const Keyword& keyword) { return keyword.name == name; });
  return found != keywords.end() ? &*found : nullptr;
}

bool is_date(const Keyword& keyword, Tai& time) {
  const auto* text = std::get_if<std::string>(&keyword.value);
  if (text == nullptr) {
    return false;
  }
  try {
    time = parse_utc(*text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool is_count(const Keyword& keyword, std::uint64_t& count) {
  const auto* integer = std::get_if<std::int64_t>(&keyword.value);
  if (integer == nullptr) {
    return false;
  }
  count = static_cast<std::uint64_t>(*integer);
  return true;
}

}  // namespace

std::vector<Keyword> frame_keywords(const FrameOrigin& origin, std::span<const Keyword> keywords) {
  std::vector<Keyword> made;
  const auto add = [&](std::string_view name, auto value, std::string_view comment) {
    if (find(keywords, name) == nullptr) {
      made.push_back({std::string(name), std::move(value), std::string(comment)});
    }
  };
  const FrameInfo& frame = origin.frame;
  add("EXTNAME", origin.stream, of_stream);
  add("CNT0", static_cast<std::int64_t>(frame.cnt0), of_cnt0);
  add("CNT1", static_cast<std::int64_t>(frame.cnt1), of_cnt1);
  const Keyword* const scale = find(keywords, "TIMESYS");
  if (scale != nullptr && scale->value != Keyword{"", "UTC", ""}.value) {
    return made;
  }
  for (const TimeCards& cards : times) {
    const Tai time = frame.*cards.time;
    if (!is_date(time) || find(keywords, cards.date) != nullptr ||
        find(keywords, cards.day) != nullptr) {
      continue;
    }
    if (find(made, "TIMESYS") == nullptr) {
      add("TIMESYS", "UTC", of_scale);
    }
    add(cards.date, iso_date(time), cards.comment);
    add(cards.day, modified_julian_day(time), cards.comment);
  }
  return made;
}

bool take_frame_keyword(const Keyword& keyword, std::optional<FrameInfo>& frame) {
  const auto is = [&keyword](std::string_view name, std::string_view comment) {
    return keyword.name == name && keyword.comment == comment;
  };
  if (is("EXTNAME", of_stream) || is("TIMESYS", of_scale)) {
    return true;
  }
  FrameInfo told = frame.value_or(FrameInfo{});
  bool is_ours = (is("CNT0", of_cnt0) && is_count(keyword, told.cnt0)) ||
                 (is("CNT1", of_cnt1) && is_count(keyword, told.cnt1));
  for (const TimeCards& cards : times) {
    if (is(cards.day, cards.comment)) {
      return true;  // the date has it to the nanosecond
    }
    is_ours = is_ours || (is(cards.date, cards.comment) && is_date(keyword, told.*cards.time));
  }
  if (is_ours) {
    frame = told;
  }
  return is_ours;
}

}  // namespace shmim::fits
