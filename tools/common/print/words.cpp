#include "common/print/words.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace shmim::tools {
namespace {

/// `L`, `D` or `S`.
const char* type_of(const Keyword& keyword) noexcept {
  constexpr std::array types{"L", "D", "S"};
  return types[keyword.value.index()];
}

bool is_seen(const Process& process) noexcept {
  return !process.is_dead() && !process.command.empty();
}

const char* why_unseen(const Process& process) noexcept {
  return process.is_dead()                     ? "dead"
         : process.liveness == Liveness::alive ? "in another PID namespace"
                                               : "perhaps in another PID namespace";
}

}  // namespace

std::string counted(std::uint64_t count, std::string_view what) {
  const std::string_view several = what.ends_with('s') ? "es" : "s";
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : several);
}

std::string in_words(Seconds duration) {
  const double seconds = std::fabs(duration.count());
  const char* sign = duration.count() < 0 ? "-" : "";
  if (seconds < 0.99995e-3) {
    return fmt::format("{}{:.1f}us", sign, seconds * 1e6);
  }
  if (seconds < 0.99995) {
    return fmt::format("{}{:.1f}ms", sign, seconds * 1e3);
  }
  if (seconds < 59.95) {
    return fmt::format("{}{:.1f}s", sign, seconds);
  }
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e18));
  if (whole < 3600) {
    return fmt::format("{}{}m{:02}s", sign, whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return fmt::format("{}{}h{:02}m", sign, whole / 3600, whole / 60 % 60);
  }
  return fmt::format("{}{}d{:02}h", sign, whole / 86400, whole / 3600 % 24);
}

std::string in_words(const Process& process) {
  if (process.pid == 0) {
    return "-";
  }
  return fmt::format("{} ({})", process.pid,
                     is_seen(process) ? printable(process.command) : why_unseen(process));
}

std::string command_in_words(const Process& process) {
  return is_seen(process) ? printable(process.command) : fmt::format("({})", why_unseen(process));
}

std::string rate_in_words(const std::optional<double>& hertz) {
  return hertz ? fmt::format("{:.{}f}Hz", *hertz,
                             *hertz == 0     ? 0
                             : *hertz < 10   ? 3
                             : *hertz < 1000 ? 2
                                             : 1)
               : "-";
}

const char* state_of(const Description& description) noexcept {
  if (!description.unreadable) {
    switch (description.state) {
      case FrameState::whole:
        return "whole";
      case FrameState::busy:
        return "being written";
      case FrameState::unfinished:
        return "unfinished";
    }
  }
  switch (description.unreadable->problem) {
    case Problem::not_found:
      return "gone";
    case Problem::too_short:
      return "too short";
    case Problem::no_version:
      return "no version";
    case Problem::other_version:
      return "other version";
    case Problem::dao_layout:
      return "DAO layout";
    case Problem::wrong_size:
      return "wrong size";
    case Problem::bad_header:
      return "bad header";
    case Problem::dangling_link:
      return "dangling";
    case Problem::no_permission:
      return "no permission";
    default:
      return "unreadable";
  }
}

std::string image_type_in_words(std::uint64_t image_type) {
  std::string text;
  const auto add = [&](std::string_view words) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", words);
  };
  const auto say = [&](std::uint64_t bit, std::string_view words) {
    if ((image_type & bit) != 0) {
      add(words);
    }
  };
  say(layout::image_circular, "circular buffer");
  say(layout::image_math_data, "mathematical data");
  say(layout::image_received, "received from another computer");
  say(layout::image_sent, "sent to another computer");
  constexpr std::array meanings{"", "space", "time", "wavelength", "mapping"};
  const std::uint64_t meaning = (image_type & layout::image_z_mask) >> 16U;
  if (meaning != 0) {
    add(fmt::format("z is {}", meaning < meanings.size() ? meanings[meaning] : "unknown"));
  }
  return text.empty() ? "-" : text;
}

std::string name_in_words(const Description& description) {
  std::string text = printable(description.name);
  if (description.target) {
    // As it is named: the suffix says nothing.
    const std::string& target = *description.target;
    const bool is_of_the_directory = target.find('/') == target.npos;
    text += fmt::format(" -> {}", printable(is_of_the_directory ? stream_name(target) : target));
  }
  return text;
}

Record to_json(const Process& process) {
  if (process.pid == 0) {
    return {};
  }
  Record alive;  // null: it is not known
  if (process.liveness != Liveness::unknown) {
    alive = process.liveness == Liveness::alive;
  }
  return {{"pid", process.pid}, {"command", process.command}, {"alive", alive}};
}

Record to_json(const std::optional<Seconds>& duration) {
  return duration ? Record(duration->count()) : Record();
}

Record to_json(const Shape& shape) {
  Record lengths = Record::array();
  for (const std::uint32_t length : shape.lengths()) {
    lengths.push_back(length);
  }
  return lengths;
}

Record to_json(const Keyword& keyword) {
  return {{"name", keyword.name},
          {"type", type_of(keyword)},
          {"value", std::visit([](const auto& value) { return Record(value); }, keyword.value)},
          {"comment", keyword.comment}};
}

std::vector<std::vector<std::string>> keyword_rows(std::span<const Keyword> keywords) {
  std::vector<std::vector<std::string>> rows;
  for (const Keyword& keyword : keywords) {
    rows.push_back({printable(keyword.name), type_of(keyword), printable(to_string(keyword)),
                    printable(keyword.comment)});
  }
  return rows;
}

std::string keyword_table(std::span<const Keyword> keywords) {
  std::vector<std::vector<std::string>> rows = keyword_rows(keywords);
  if (rows.empty()) {
    return "";
  }
  rows.insert(rows.begin(), {"NAME", "TYPE", "VALUE", "COMMENT"});
  return to_table(rows);
}

}  // namespace shmim::tools
