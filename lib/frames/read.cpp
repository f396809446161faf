#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "frames/cbor.hpp"
#include "frames/typed_array.hpp"
#include "shmim/error.hpp"
#include "shmim/frames.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

using Map = nlohmann::json;

constexpr std::uint64_t self_described = 55799;
constexpr std::int64_t version = 1;

/// What a map says of one thing, and where it stands, for messages.
class Said {
 public:
  Said(const CborReader& reader, const Map& map) : reader_(reader), map_(map) {
    if (!map.is_object()) {
      reader.fail("has a list of what are no maps");
    }
  }

  template <class Number>
  void get(const char* key, Number& number) const {
    const Map* value = find(key);
    if (value == nullptr) {
      return;
    }
    const bool fits = value->is_number_unsigned()
                          ? std::in_range<Number>(value->template get<std::uint64_t>())
                          : value->is_number_integer() &&
                                std::in_range<Number>(value->template get<std::int64_t>());
    if (!fits) {
      reader_.fail(fmt::format("has a '{}' that is not a whole number from {} to {}", key,
                               std::numeric_limits<Number>::min(),
                               std::numeric_limits<Number>::max()));
    }
    number = value->template get<Number>();
  }
  void get(const char* key, Tai& time) const {
    std::int64_t nanoseconds = time.time_since_epoch().count();
    get(key, nanoseconds);
    time = Tai(std::chrono::nanoseconds{nanoseconds});
  }
  void get(const char* key, std::string& text) const {
    if (const Map* value = find(key)) {
      text = text_of(key, *value);
    }
  }
  void get(const char* key, std::variant<std::int64_t, double, std::string>& value) const {
    const Map* found = find(key);
    if (found == nullptr) {
      reader_.fail(fmt::format("has a keyword without a '{}'", key));
    }
    if (found->is_number_float()) {
      value = found->get<double>();
    } else if (found->is_number()) {
      std::int64_t number = 0;
      get(key, number);
      value = number;
    } else {
      value = text_of(key, *found);
    }
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void get(const char* key, Enum& value) const {
    auto number = static_cast<std::int32_t>(value);
    get(key, number);
    value = static_cast<Enum>(number);
  }
  template <class Value, class Read>
  void get_all(const char* key, std::vector<Value>& values, const Read& read) const {
    const Map* list = find(key);
    if (list == nullptr) {
      return;
    }
    if (!list->is_array()) {
      reader_.fail(fmt::format("has a '{}' that is not a list", key));
    }
    for (const Map& item : *list) {
      values.push_back(read(Said(reader_, item)));
    }
  }
  [[nodiscard]] const Map* find(const char* key) const {
    const auto found = map_.find(key);
    return found == map_.end() || found->is_null() ? nullptr : &*found;
  }

 private:
  [[nodiscard]] std::string text_of(const char* key, const Map& value) const {
    if (value.is_binary()) {
      const auto& bytes = value.get_binary();
      return {bytes.begin(), bytes.end()};
    }
    if (!value.is_string()) {
      reader_.fail(fmt::format("has a '{}' that is not text", key));
    }
    return value.get<std::string>();
  }
  const CborReader& reader_;
  const Map& map_;
};

Keyword keyword_of(const Said& said) {
  Keyword keyword;
  said.get("name", keyword.name);
  said.get("value", keyword.value);
  said.get("comment", keyword.comment);
  return keyword;
}

TraceEntry entry_of(const CborReader& reader, const Said& said) {
  TraceEntry entry;
  said.get("procwrite_PID", entry.pid);
  std::string writing(to_string(entry.writing));
  said.get("writing", writing);
  constexpr std::array known{Writing::done, Writing::begun, Writing::given_up};
  const auto* found =
      std::ranges::find(known, writing, [](Writing value) { return to_string(value); });
  if (found == known.end()) {
    reader.fail(fmt::format("has a step of the trace that is '{}'", printable(writing)));
  }
  entry.writing = *found;
  said.get("trigger_inode", entry.trigger_inode);
  said.get("triggermode", entry.mode);
  said.get("triggerstatus", entry.status);
  said.get("trigsemindex", entry.semaphore);
  said.get("cnt0", entry.cnt0);
  said.get("ts_procstart", entry.triggered);
  if (said.find("ts_streamupdate") != nullptr) {
    said.get("ts_streamupdate", entry.written.emplace());
  }
  return entry;
}

/// All that stands before the pixels.
FrameRecord record_of(const CborReader& reader, const Map& map) {
  const Said said(reader, map);
  std::int64_t found = 0;
  said.get("shmim", found);
  if (found != version) {
    reader.fail(found == 0
                    ? "is not of frames: its map has no 'shmim', which says the version"
                    : fmt::format("is of version {} of the frame format, not {}", found, version));
  }
  FrameRecord frame;
  said.get("name", frame.name);
  said.get("image_type", frame.image_type);
  said.get("cnt0", frame.info.cnt0);
  said.get("cnt1", frame.info.cnt1);
  said.get("missed", frame.missed);
  said.get("atime", frame.info.atime);
  said.get("writetime", frame.info.writetime);
  said.get_all("keywords", frame.keywords, keyword_of);
  said.get_all("trace", frame.trace,
               [&reader](const Said& entry) { return entry_of(reader, entry); });
  said.get("inode", frame.inode);
  said.get("boot", frame.boot);
  return frame;
}

/// Reads from the tag of the pixels to the first of them.
void read_pixels_head(CborReader& reader, const std::string& type, FrameRecord& frame) {
  const auto expect = [&reader](CborMajor major, const char* what) {
    const CborHead head = reader.head();
    if (head.major != major) {
      reader.fail(fmt::format("has pixels without {}", what));
    }
    return head.value;
  };
  if (expect(CborMajor::tag, "a tag") != multi_dimensional ||
      expect(CborMajor::array, "axes") != 2) {
    reader.fail("has pixels that are not an array of several axes: tag 40 with two items");
  }
  std::uint64_t axes = expect(CborMajor::array, "axes");
  constexpr std::uint64_t most_axes = layout::max_axes + 1;
  if (axes == 0 || axes > most_axes) {
    reader.fail(fmt::format("has pixels of {} axes; a stream has one to three", axes));
  }
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t axis = 0; axis < axes; ++axis) {
    lengths.push_back(expect(CborMajor::natural, "lengths of their axes"));
  }
  const std::uint64_t tag = expect(CborMajor::tag, "a type");
  const auto* found = std::ranges::find(typed_arrays, tag, &TypedArray::tag);
  if (found == typed_arrays.end()) {
    reader.fail(
        fmt::format("has pixels of tag {}, which is not one of little-endian elements of a "
                    "type that a stream can have",
                    tag));
  }
  frame.type = found->type;
  if (type.starts_with("complex")) {
    frame.type = parse_data_type(type).value_or(frame.type);
    if (lengths.back() != 2) {
      reader.fail(fmt::format("has pixels of {} whose last axis is not the two parts", type));
    }
    lengths.pop_back();
  }
  if (!type.empty() &&
      (parse_data_type(type) != frame.type || part_of(frame.type) != found->type)) {
    reader.fail(fmt::format("says that its type is {}, and has pixels of {}", printable(type),
                            to_string(found->type)));
  }
  const std::uint64_t bytes = expect(CborMajor::bytes, "their bytes");
  std::uint64_t wanted = element_size(frame.type);
  for (const std::uint64_t length : lengths) {
    wanted =
        length == 0 || length > UINT32_MAX || wanted > UINT64_MAX / length ? 0 : wanted * length;
  }
  if (lengths.empty() || lengths.size() > layout::max_axes || wanted == 0 || wanted != bytes) {
    reader.fail(fmt::format("has {} bytes of pixels for {} of {}", bytes, fmt::join(lengths, "x"),
                            to_string(frame.type)));
  }
  std::vector<std::uint32_t> shape(lengths.rbegin(), lengths.rend());
  frame.shape = Shape(shape);
}

}  // namespace

class FrameReader::Source {
 public:
  Source(std::string source, ReadSome read) : reader_(std::move(source), std::move(read)) {}

  [[nodiscard]] bool wait() {
    pass_over();
    return reader_.wait();
  }

  [[nodiscard]] std::optional<FrameRecord> next() {
    if (!wait()) {
      return std::nullopt;
    }
    reader_.forget();
    CborHead head = reader_.head();
    if (head.major == CborMajor::tag && head.value == self_described) {
      head = reader_.head();
    }
    if (head.major != CborMajor::map) {
      reader_.fail("is not of frames: it does not begin with a map of CBOR");
    }
    Map map = Map::object();
    while (true) {
      if (head.value-- == 0) {
        reader_.fail("has a frame without pixels");
      }
      const CborHead key = reader_.head();
      if (key.major != CborMajor::text) {
        reader_.fail("has a key that is not text");
      }
      const std::string name = reader_.text(key);
      if (name == "pixels") {
        break;
      }
      map[name] = reader_.value();
    }
    if (head.value != 0) {
      reader_.fail("has more to say of a frame behind its pixels, which come last");
    }
    FrameRecord frame = record_of(reader_, map);
    std::string type;
    Said(reader_, map).get("type", type);
    read_pixels_head(reader_, type, frame);
    left_ = frame.bytes();
    return frame;
  }

  void read(std::span<std::byte> pixels) {
    if (pixels.size() != left_) {
      throw Error(
          Problem::usage, "",
          fmt::format("room for {} bytes of pixels, and there are {}", pixels.size(), left_));
    }
    reader_.read(pixels);
    left_ = 0;
  }

 private:
  void pass_over() { reader_.skip(std::exchange(left_, 0)); }

  CborReader reader_;
  std::uint64_t left_ = 0;  ///< pixels of this frame that are still to come, in bytes
};

FrameReader::FrameReader(std::string source, ReadSome read)
    : source_(std::make_unique<Source>(std::move(source), std::move(read))) {}
FrameReader::~FrameReader() = default;
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;

bool FrameReader::wait() { return source_->wait(); }
std::optional<FrameRecord> FrameReader::next() { return source_->next(); }
void FrameReader::read(std::span<std::byte> pixels) { source_->read(pixels); }

}  // namespace shmim
