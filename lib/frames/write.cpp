#include <algorithm>
#include <utility>

#include "frames/cbor.hpp"
#include "frames/typed_array.hpp"
#include "shmim/frames.hpp"

namespace shmim {
namespace {

void append(std::string& bytes, std::string_view text) { append_text(bytes, text); }
void append(std::string& bytes, double number) { append_real(bytes, number); }
void append(std::string& bytes, std::integral auto number) {
  if (std::cmp_less(number, 0)) {
    append_head(bytes, CborMajor::negative, ~static_cast<std::uint64_t>(number));
  } else {
    append_head(bytes, CborMajor::natural, static_cast<std::uint64_t>(number));
  }
}
void append(std::string& bytes, Tai time) { append(bytes, time.time_since_epoch().count()); }

/// A map of fewer than 24 entries, behind `bytes`. nlohmann-json would take three microseconds for
/// that of a frame, which is as long as a small frame is on its way.
class MapWriter {
 public:
  explicit MapWriter(std::string& bytes) : bytes_(bytes), begin_(bytes.size()) {
    append_head(bytes_, CborMajor::map, 0);
  }
  template <class Value>
  void add(std::string_view key, const Value& value) {
    append(begin(key), value);
  }
  /// The value is to be appended to what this gives.
  std::string& begin(std::string_view key) {
    ++bytes_[begin_];
    append_head(bytes_, CborMajor::text, key.size());
    bytes_ += key;
    return bytes_;
  }

 private:
  std::string& bytes_;
  std::size_t begin_;
};

void append(std::string& bytes, const Keyword& keyword) {
  MapWriter map(bytes);
  map.add("name", keyword.name);
  std::visit([&map](const auto& value) { map.add("value", value); }, keyword.value);
  if (!keyword.comment.empty()) {
    map.add("comment", keyword.comment);
  }
}

void append(std::string& bytes, const TraceEntry& entry) {
  MapWriter map(bytes);
  map.add("procwrite_PID", entry.pid);
  map.add("writing", to_string(entry.writing));
  map.add("trigger_inode", entry.trigger_inode);
  map.add("triggermode", static_cast<std::int32_t>(entry.mode));
  map.add("triggerstatus", static_cast<std::int32_t>(entry.status));
  map.add("trigsemindex", entry.semaphore);
  map.add("cnt0", entry.cnt0);
  map.add("ts_procstart", entry.triggered);
  if (entry.written) {
    map.add("ts_streamupdate", *entry.written);
  }
}

template <class Value>
void append_list(std::string& bytes, const std::vector<Value>& values) {
  append_head(bytes, CborMajor::array, values.size());
  for (const Value& value : values) {
    append(bytes, value);
  }
}

void append_pixels_head(std::string& bytes, const FrameRecord& frame) {
  const DataType part = part_of(frame.type);
  const bool is_complex = part != frame.type;
  append_head(bytes, CborMajor::tag, multi_dimensional);
  append_head(bytes, CborMajor::array, 2);
  append_head(bytes, CborMajor::array, frame.shape.axes() + (is_complex ? 1 : 0));
  for (std::size_t axis = frame.shape.axes(); axis > 0; --axis) {
    append(bytes, frame.shape[axis - 1]);
  }
  if (is_complex) {
    append(bytes, 2);
  }
  append_head(bytes, CborMajor::tag, std::ranges::find(typed_arrays, part, &TypedArray::type)->tag);
  append_head(bytes, CborMajor::bytes, frame.bytes());
}

}  // namespace

std::string frame_head(const FrameRecord& frame) {
  std::string head;
  head.reserve(512);
  head += frames_beginning;
  MapWriter map(head);
  map.add("shmim", 1);
  map.add("name", frame.name);
  map.add("type", to_string(frame.type));
  map.add("image_type", frame.image_type);
  map.add("cnt0", frame.info.cnt0);
  map.add("cnt1", frame.info.cnt1);
  map.add("missed", frame.missed);
  if (frame.info.atime != never) {
    map.add("atime", frame.info.atime);
  }
  if (frame.info.writetime != never) {
    map.add("writetime", frame.info.writetime);
  }
  if (!frame.keywords.empty()) {
    append_list(map.begin("keywords"), frame.keywords);
  }
  if (!frame.trace.empty()) {
    append_list(map.begin("trace"), frame.trace);
  }
  if (frame.inode != 0) {
    map.add("inode", frame.inode);
  }
  if (!frame.boot.empty()) {
    map.add("boot", frame.boot);
  }
  append_pixels_head(map.begin("pixels"), frame);
  return head;
}

}  // namespace shmim
