#include <algorithm>

#include <nlohmann/json.hpp>

#include "frames/cbor.hpp"
#include "frames/typed_array.hpp"
#include "shmim/frames.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

using OrderedMap = nlohmann::ordered_json;

/// Text, or bytes where it is none that CBOR allows.
OrderedMap text(const std::string& text) {
  return is_utf8(text) ? OrderedMap(text) : OrderedMap::binary({text.begin(), text.end()});
}

std::int64_t nanoseconds(Tai time) { return time.time_since_epoch().count(); }

OrderedMap to_map(const Keyword& keyword) {
  OrderedMap map;
  map["name"] = text(keyword.name);
  std::visit(
      [&map](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          map["value"] = text(value);
        } else {
          map["value"] = value;
        }
      },
      keyword.value);
  if (!keyword.comment.empty()) {
    map["comment"] = text(keyword.comment);
  }
  return map;
}

OrderedMap to_map(const TraceEntry& entry) {
  OrderedMap map{{"procwrite_PID", entry.pid},
                 {"writing", to_string(entry.writing)},
                 {"trigger_inode", entry.trigger_inode},
                 {"triggermode", static_cast<std::int32_t>(entry.mode)},
                 {"triggerstatus", static_cast<std::int32_t>(entry.status)},
                 {"trigsemindex", entry.semaphore},
                 {"cnt0", entry.cnt0},
                 {"ts_procstart", nanoseconds(entry.triggered)}};
  if (entry.written) {
    map["ts_streamupdate"] = nanoseconds(*entry.written);
  }
  return map;
}

template <class Values>
OrderedMap to_maps(const Values& values) {
  OrderedMap maps = OrderedMap::array();
  for (const auto& value : values) {
    maps.push_back(to_map(value));
  }
  return maps;
}

OrderedMap described(const FrameRecord& frame) {
  OrderedMap map{{"shmim", 1},
                 {"name", text(frame.name)},
                 {"type", to_string(frame.type)},
                 {"image_type", frame.image_type},
                 {"cnt0", frame.info.cnt0},
                 {"cnt1", frame.info.cnt1},
                 {"missed", frame.missed}};
  if (frame.info.atime != never) {
    map["atime"] = nanoseconds(frame.info.atime);
  }
  if (frame.info.writetime != never) {
    map["writetime"] = nanoseconds(frame.info.writetime);
  }
  if (!frame.keywords.empty()) {
    map["keywords"] = to_maps(frame.keywords);
  }
  if (!frame.trace.empty()) {
    map["trace"] = to_maps(frame.trace);
  }
  if (frame.inode != 0) {
    map["inode"] = frame.inode;
  }
  if (!frame.boot.empty()) {
    map["boot"] = frame.boot;
  }
  return map;
}

}  // namespace

std::string frame_head(const FrameRecord& frame) {
  const OrderedMap map = described(frame);
  std::string head(frames_beginning);
  append_head(head, CborMajor::map, map.size() + 1);
  for (const auto& [key, value] : map.items()) {
    append_head(head, CborMajor::text, key.size());
    head += key;
    OrderedMap::to_cbor(value, head);
  }
  constexpr std::string_view pixels = "pixels";
  append_head(head, CborMajor::text, pixels.size());
  head += pixels;
  append_head(head, CborMajor::tag, multi_dimensional);
  append_head(head, CborMajor::array, 2);
  const DataType part = part_of(frame.type);
  const bool is_complex = part != frame.type;
  append_head(head, CborMajor::array, frame.shape.axes() + (is_complex ? 1 : 0));
  for (std::size_t axis = frame.shape.axes(); axis > 0; --axis) {
    append_head(head, CborMajor::natural, frame.shape[axis - 1]);
  }
  if (is_complex) {
    append_head(head, CborMajor::natural, 2);
  }
  append_head(head, CborMajor::tag, std::ranges::find(typed_arrays, part, &TypedArray::type)->tag);
  append_head(head, CborMajor::bytes, frame.bytes());
  return head;
}

}  // namespace shmim
