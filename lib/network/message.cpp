#include "network/message.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frames/cbor.hpp"
#include "shmim/error.hpp"
#include "shmim/slice.hpp"
#include "shmim/text.hpp"

namespace shmim::network {
namespace {

using Map = nlohmann::json;

constexpr std::int64_t version = 1;

[[noreturn]] void refuse(const std::string& why) { throw Error(Problem::failed, "", why); }

std::int64_t nanoseconds_of(Tai time) { return time.time_since_epoch().count(); }

std::string bytes_of(Map map) {
  map["shmim"] = version;
  std::string bytes;
  Map::to_cbor(map, bytes);
  return bytes;
}

Map map_of(std::span<const std::byte> bytes) {
  CborReader reader("", [&bytes](std::span<std::byte> room) {
    const std::size_t part = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), part, room.begin());
    bytes = bytes.subspan(part);
    return part;
  });
  Map map = reader.value();
  if (!map.is_object()) {
    refuse("a message that is no map in CBOR");
  }
  return map;
}

template <class Number>
Number number_in(const Map& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_number_integer()) {
    refuse(fmt::format("a message without a number '{}'", key));
  }
  const bool fits = found->is_number_unsigned() ? std::in_range<Number>(found->get<std::uint64_t>())
                                                : std::in_range<Number>(found->get<std::int64_t>());
  if (!fits) {
    refuse(fmt::format("a message whose '{}' is not a number there can be", key));
  }
  return found->get<Number>();
}

std::string text_in(const Map& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_string()) {
    refuse(fmt::format("a message without a text '{}'", key));
  }
  return found->get<std::string>();
}

bool flag_in(const Map& map, const char* key, bool otherwise) {
  const auto found = map.find(key);
  if (found == map.end()) {
    return otherwise;
  }
  if (!found->is_boolean()) {
    refuse(fmt::format("a message whose '{}' is neither true nor false", key));
  }
  return found->get<bool>();
}

std::vector<std::string> names_in(const Map& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_array()) {
    refuse(fmt::format("a message without a list '{}'", key));
  }
  std::vector<std::string> names;
  for (const Map& name : *found) {
    if (!name.is_string()) {
      refuse("a list of streams with what is no name");
    }
    names.push_back(name.get<std::string>());
  }
  return names;
}

Problem problem_in(const Map& map) {
  const auto number = number_in<std::int32_t>(map, "problem");
  if (number < 0 || number > static_cast<std::int32_t>(Problem::not_an_image)) {
    refuse("a message whose 'problem' there is not");
  }
  return static_cast<Problem>(number);
}

Tai time_in(const Map& map, const char* key) {
  return Tai(std::chrono::nanoseconds{number_in<std::int64_t>(map, key)});
}

void require_version(const Map& map) {
  const auto found = number_in<std::int64_t>(map, "shmim");
  if (found != version) {
    refuse(fmt::format("a message of version {} of the protocol, not {}", found, version));
  }
}

std::optional<double> rate_in(const Map& map) {
  const auto found = map.find("rate");
  if (found == map.end()) {
    return std::nullopt;
  }
  constexpr double slowest = 1e-6;
  if (!found->is_number() || !(found->get<double>() >= slowest)) {
    refuse("a message whose 'rate' is no rate");
  }
  return found->get<double>();
}

Compression compression_in(const Map& map, const char* key) {
  if (!map.contains(key)) {
    return Compression::none;
  }
  const std::string text = text_in(map, key);
  const auto compression = parse_compression(text);
  if (!compression) {
    refuse(fmt::format("a message whose '{}' is '{}'", key, printable(text)));
  }
  return *compression;
}

Slice slice_in(const Map& map) {
  if (!map.contains("slice")) {
    return {};
  }
  const std::string text = text_in(map, "slice");
  try {
    return parse_slice(text);
  } catch (const Error& error) {
    refuse(fmt::format("a message whose 'slice' is '{}': {}", printable(text), error.why()));
  }
}

Map map_of_format(const Format& format) {
  Map shape = Map::array();
  for (const std::uint32_t length : format.shape.lengths()) {
    shape.push_back(length);
  }
  return {{"type", std::string(to_string(format.type))},
          {"shape", std::move(shape)},
          {"image_type", format.image_type},
          {"circular_buffer", format.circular_buffer},
          {"keywords", format.keywords}};
}

Format format_in(const Map& map) {
  const auto found = map.find("format");
  if (found == map.end() || !found->is_object()) {
    refuse("a stream without a format");
  }
  Format format;
  const auto type = parse_data_type(text_in(*found, "type"));
  if (!type) {
    refuse(fmt::format("a stream of type '{}'", printable(text_in(*found, "type"))));
  }
  format.type = *type;
  const auto axes = found->find("shape");
  if (axes == found->end() || !axes->is_array() || axes->size() > layout::max_axes) {
    refuse("a stream without a shape");
  }
  std::vector<std::uint32_t> lengths;
  for (const Map& length : *axes) {
    if (!length.is_number_unsigned() ||
        !std::in_range<std::uint32_t>(length.get<std::uint64_t>())) {
      refuse("a stream with an axis that is no length");
    }
    lengths.push_back(length.get<std::uint32_t>());
  }
  try {
    format.shape = Shape(lengths);
  } catch (const Error& error) {
    refuse(fmt::format("a stream whose {}", error.why()));
  }
  format.image_type = number_in<std::uint64_t>(*found, "image_type");
  format.circular_buffer = number_in<std::uint32_t>(*found, "circular_buffer");
  format.keywords = number_in<std::uint16_t>(*found, "keywords");
  return format;
}

struct ToMap {
  Map operator()(const Follow& follow) const {
    Map map{{"follow", follow.id},
            {"name", follow.name},
            {"order", follow.order == FrameOrder::every ? "every" : "latest"},
            {"session", follow.session},
            {"window", follow.window},
            {"taken", follow.taken}};
    if (follow.rate) {
      map["rate"] = *follow.rate;
    }
    if (follow.compression != Compression::none) {
      map["compress"] = to_string(follow.compression);
    }
    if (follow.delay.count() > 0) {
      map["delay"] = follow.delay.count();
    }
    if (follow.asked != never) {
      map["asked"] = nanoseconds_of(follow.asked);
    }
    if (!follow.parts.pixels) {
      map["pixels"] = false;
    }
    if (follow.parts.whole) {
      map["whole"] = true;
    }
    if (!follow.parts.slice.empty()) {
      map["slice"] = to_string(follow.parts.slice);
    }
    return map;
  }
  Map operator()(const List& /*list*/) const { return {{"list", true}}; }
  Map operator()(const Look& look) const {
    return {{"look", look.id},
            {"patterns", look.request.patterns},
            {"rates", look.request.rates},
            {"holders", look.request.holders},
            {"surroundings", look.request.surroundings}};
  }
  Map operator()(const Announcement& stream) const {
    return {{"stream", stream.id},
            {"session", stream.session},
            {"host", stream.host},
            {"format", map_of_format(stream.format)},
            {"cnt0", stream.cnt0}};
  }
  Map operator()(const Gone& gone) const { return {{"gone", gone.id}}; }
  Map operator()(const FrameFollows& frame) const {
    Map map{{"frame", frame.id}, {"session", frame.session}, {"number", frame.number}};
    if (frame.packed != Compression::none) {
      map["packed"] = to_string(frame.packed);
    }
    return map;
  }
  Map operator()(const Alive& alive) const {
    return {{"alive", nanoseconds_of(alive.asked)}, {"here", nanoseconds_of(alive.here)}};
  }
  Map operator()(const Streams& streams) const {
    return {{"streams", streams.names}, {"unknown", streams.unknown}};
  }
  Map operator()(const Seen& seen) const { return {{"seen", seen.id}}; }
  Map operator()(const Failure& failure) const {
    return {{"failure", failure.id},
            {"problem", static_cast<std::int32_t>(failure.problem)},
            {"why", failure.why}};
  }
};

}  // namespace

std::optional<Selection> selection_in(const Format& format, const Slice& slice, bool is_of_plane) {
  try {
    return selection_of(slice, format, is_of_plane);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string encode(const FromReceiver& message) { return bytes_of(std::visit(ToMap{}, message)); }
std::string encode(const FromSender& message) { return bytes_of(std::visit(ToMap{}, message)); }

FromReceiver decode_from_receiver(std::span<const std::byte> bytes) {
  const Map map = map_of(bytes);
  require_version(map);
  if (map.contains("list")) {
    return List{};
  }
  if (map.contains("look")) {
    return Look{number_in<std::uint64_t>(map, "look"),
                {names_in(map, "patterns"), flag_in(map, "rates", false),
                 flag_in(map, "holders", false), flag_in(map, "surroundings", false)}};
  }
  Follow follow;
  follow.id = number_in<std::uint64_t>(map, "follow");
  follow.name = text_in(map, "name");
  const std::string order = text_in(map, "order");
  if (order != "every" && order != "latest") {
    refuse(fmt::format("a message whose 'order' is '{}'", printable(order)));
  }
  follow.order = order == "every" ? FrameOrder::every : FrameOrder::latest;
  follow.rate = rate_in(map);
  follow.compression = compression_in(map, "compress");
  follow.session = number_in<std::uint64_t>(map, "session");
  follow.window = number_in<std::uint64_t>(map, "window");
  follow.taken = number_in<std::uint64_t>(map, "taken");
  if (map.contains("delay")) {
    follow.delay = std::chrono::nanoseconds{number_in<std::int64_t>(map, "delay")};
  }
  if (map.contains("asked")) {
    follow.asked = time_in(map, "asked");
  }
  follow.parts = {flag_in(map, "pixels", true), flag_in(map, "whole", false), slice_in(map)};
  return follow;
}

FromSender decode_from_sender(std::span<const std::byte> bytes) {
  const Map map = map_of(bytes);
  require_version(map);
  if (map.contains("frame")) {
    return FrameFollows{number_in<std::uint64_t>(map, "frame"),
                        number_in<std::uint64_t>(map, "session"),
                        number_in<std::uint64_t>(map, "number"), compression_in(map, "packed")};
  }
  if (map.contains("alive")) {
    return Alive{time_in(map, "alive"), time_in(map, "here")};
  }
  if (map.contains("stream")) {
    return Announcement{number_in<std::uint64_t>(map, "stream"),
                        number_in<std::uint64_t>(map, "session"), text_in(map, "host"),
                        format_in(map), number_in<std::uint64_t>(map, "cnt0")};
  }
  if (map.contains("gone")) {
    return Gone{number_in<std::uint64_t>(map, "gone")};
  }
  if (map.contains("seen")) {
    return Seen{number_in<std::uint64_t>(map, "seen")};
  }
  if (map.contains("failure")) {
    return Failure{number_in<std::uint64_t>(map, "failure"), problem_in(map), text_in(map, "why")};
  }
  if (!map.contains("streams")) {
    refuse("a message of no known kind");
  }
  return Streams{names_in(map, "streams"), text_in(map, "unknown")};
}

}  // namespace shmim::network
