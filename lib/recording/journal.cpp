#include "recording/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <variant>

#include <nlohmann/json.hpp>

#include "shmim/error.hpp"

namespace shmim::recording {
namespace {

using nlohmann::json;

std::string to_bytes(const json& value) {
  std::string bytes;
  json::to_cbor(value, bytes);
  return bytes;
}

/// nullopt at the end, or where the next value is cut off.
std::optional<json> next_value(std::ifstream& in) {
  constexpr bool to_the_end = false;
  constexpr bool throws = false;
  json value = json::from_cbor(in, to_the_end, throws);
  return value.is_discarded() ? std::nullopt : std::optional(std::move(value));
}

json to_value(const std::vector<Keyword>& keywords) {
  json values = json::array();
  for (const Keyword& keyword : keywords) {
    const json value = std::visit([](const auto& known) { return json(known); }, keyword.value);
    values.push_back(json::array({keyword.name, value, keyword.comment}));
  }
  return values;
}

std::vector<Keyword> keywords_of(const json& values) {
  std::vector<Keyword> keywords;
  for (const json& value : values) {
    Keyword keyword{value.at(0), {}, value.at(2)};
    if (const json& known = value.at(1); known.is_string()) {
      keyword.value = known.get<std::string>();
    } else if (known.is_number_float()) {
      keyword.value = known.get<double>();
    } else {
      keyword.value = known.get<std::int64_t>();
    }
    keywords.push_back(std::move(keyword));
  }
  return keywords;
}

json to_value(const std::vector<TraceEntry>& trace) {
  json values = json::array();
  for (const TraceEntry& entry : trace) {
    values.push_back(json::array({entry.pid, entry.cnt0, entry.trigger_inode}));
  }
  return values;
}

std::vector<TraceEntry> trace_of(const json& values) {
  std::vector<TraceEntry> trace;
  for (const json& value : values) {
    TraceEntry entry;
    entry.pid = value.at(0);
    entry.cnt0 = value.at(1);
    entry.trigger_inode = value.at(2);
    trace.push_back(entry);
  }
  return trace;
}

std::uint64_t position(std::ifstream& in) {
  return static_cast<std::uint64_t>(in.rdbuf()->pubseekoff(0, std::ios::cur, std::ios::in));
}

std::int64_t nanoseconds(Tai time) { return time.time_since_epoch().count(); }
Tai time_of(const json& value) { return Tai{std::chrono::nanoseconds{value.get<std::int64_t>()}}; }

Beginning beginning_of(const json& value) {
  Beginning beginning;
  RecordedStream& stream = beginning.stream;
  stream.name = value.at("stream");
  stream.type = value.at("type").get<DataType>();
  stream.shape = Shape(value.at("shape").get<std::vector<std::uint32_t>>());
  stream.image_type = value.at("image_type");
  stream.keywords = keywords_of(value.at("keywords"));
  stream.trace = trace_of(value.at("trace"));
  if (const auto trigger = value.find("trigger"); trigger != value.end()) {
    stream.trigger = {trigger->at(0), trigger->at(1), time_of(trigger->at(2))};
  }
  beginning.header_bytes = value.at("header_bytes");
  beginning.seconds_of_utc = value.at("seconds_of_utc");
  if (stream.frame_bytes() == 0) {
    throw Error(Problem::failed, "", "a frame of no pixels");
  }
  return beginning;
}

/// Of a value that is not a number, too.
bool is_same(const Keyword& left, const Keyword& right) {
  const auto is_nan = [](const Keyword& keyword) {
    const auto* number = std::get_if<double>(&keyword.value);
    return number != nullptr && std::isnan(*number);
  };
  return left == right || (is_nan(left) && is_nan(right) && left.name == right.name &&
                           left.comment == right.comment);
}

}  // namespace

JournalFrame journal_frame(const FrameInfo& info, std::uint64_t missed,
                           const std::vector<Keyword>& before,
                           const std::vector<Keyword>& keywords) {
  JournalFrame frame{info, missed, {}, {}};
  if (std::ranges::equal(before, keywords, is_same)) {
    return frame;
  }
  for (const Keyword& keyword : keywords) {
    const auto is_known = [&](const Keyword& known) { return is_same(known, keyword); };
    if (std::ranges::none_of(before, is_known)) {
      frame.set.push_back(keyword);
    }
  }
  for (const Keyword& keyword : before) {
    if (std::ranges::find(keywords, keyword.name, &Keyword::name) == keywords.end()) {
      frame.erased.push_back(keyword.name);
    }
  }
  return frame;
}

std::string to_journal(const Beginning& beginning) {
  const RecordedStream& stream = beginning.stream;
  json shape = json::array();
  for (const std::uint32_t length : stream.shape.lengths()) {
    shape.push_back(length);
  }
  json value{{"stream", stream.name},
             {"type", stream.type},
             {"shape", shape},
             {"image_type", stream.image_type},
             {"keywords", to_value(stream.keywords)},
             {"trace", to_value(stream.trace)},
             {"header_bytes", beginning.header_bytes},
             {"seconds_of_utc", beginning.seconds_of_utc}};
  if (stream.trigger) {
    value["trigger"] = json::array(
        {stream.trigger->what, stream.trigger->stream, nanoseconds(stream.trigger->time)});
  }
  return to_bytes(value);
}

std::string to_journal(const JournalFrame& frame) {
  json value = json::array({frame.info.cnt0, frame.info.cnt1, nanoseconds(frame.info.atime),
                            nanoseconds(frame.info.writetime), frame.missed});
  if (!frame.set.empty() || !frame.erased.empty()) {
    value.push_back(to_value(frame.set));
    value.push_back(frame.erased);
  }
  return to_bytes(value);
}

JournalReader::JournalReader(const std::filesystem::path& file) : in_(file, std::ios::binary) {
  if (!in_) {
    throw Error::system(file.string(), "cannot be read", errno);
  }
  try {
    const std::optional<json> value = next_value(in_);
    if (value) {
      beginning_ = beginning_of(*value);
      bytes_ = position(in_);
      return;
    }
  } catch (const std::exception&) {  // of nlohmann-json, or of a shape that is none
  }
  throw Error(Problem::failed, file.string(), "does not say what was recorded");
}

std::optional<JournalFrame> JournalReader::next() {
  const std::optional<json> value = next_value(in_);
  if (!value) {
    return std::nullopt;
  }
  try {
    JournalFrame frame;
    frame.info.cnt0 = value->at(0);
    frame.info.cnt1 = value->at(1);
    frame.info.atime = time_of(value->at(2));
    frame.info.writetime = time_of(value->at(3));
    frame.missed = value->at(4);
    if (value->size() > 5) {
      frame.set = keywords_of(value->at(5));
      frame.erased = value->at(6).get<std::vector<std::string>>();
    }
    bytes_ = position(in_);
    return frame;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace shmim::recording
