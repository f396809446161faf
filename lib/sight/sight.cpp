#include "shmim/sight.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frames/cbor.hpp"
#include "shmim/error.hpp"
#include "shmim/text.hpp"

// Every struct has one list of its members, which both ways go through: what is written is what is
// read.

namespace shmim {
namespace {

using SightMap = nlohmann::json;

[[noreturn]] void refuse_sight(const std::string& why) {
  throw Error(Problem::failed, "", "what is seen of streams " + why);
}

template <class Visit>
void visit_members(Visit& visit, Process& process) {
  visit("pid", process.pid);
  visit("liveness", process.liveness, Liveness::unknown);
  visit("command", process.command);
}

template <class Visit>
void visit_members(Visit& visit, Identity& identity) {
  visit("device", identity.device);
  visit("inode", identity.inode);
}

template <class Visit>
void visit_members(Visit& visit, Unreadable& unreadable) {
  visit("problem", unreadable.problem, Problem::not_an_image);
  visit("why", unreadable.why);
}

template <class Visit>
void visit_members(Visit& visit, SemaphoreState& semaphore) {
  visit("value", semaphore.value);
  visit("saturated", semaphore.saturated);
  visit("reader", semaphore.reader);
  visit("poster", semaphore.poster);
  visit("control", semaphore.control);
  visit("status", semaphore.status);
}

template <class Visit>
void visit_members(Visit& visit, Keyword& keyword) {
  visit("name", keyword.name);
  visit("value", keyword.value);
  visit("comment", keyword.comment);
}

template <class Visit>
void visit_members(Visit& visit, TraceEntry& entry) {
  visit("pid", entry.pid);
  visit("writing", entry.writing, Writing::given_up);
  visit("trigger_inode", entry.trigger_inode);
  visit("mode", entry.mode);
  visit("status", entry.status);
  visit("semaphore", entry.semaphore);
  visit("cnt0", entry.cnt0);
  visit("triggered", entry.triggered);
  visit("written", entry.written);
}

template <class Visit>
void visit_members(Visit& visit, Rate& rate) {
  visit("frames", rate.frames);
  visit("missed", rate.missed);
  visit("stamped", rate.is_stamped);
  visit("hertz", rate.hertz);
  visit("mean", rate.mean);
  visit("min", rate.min);
  visit("max", rate.max);
  visit("stddev", rate.stddev);
  visit("jitter", rate.jitter);
}

template <class Visit>
void visit_members(Visit& visit, Description& description) {
  visit("name", description.name);
  visit("path", description.path);
  visit("target", description.target);
  visit("file_bytes", description.file_bytes);
  visit("identity", description.identity);
  visit("unreadable", description.unreadable);
  if (description.unreadable) {
    return;
  }
  visit("header", description.header);
  visit("state", description.state, FrameState::unfinished);
  visit("clock", description.clock, StampClock::unknown);
  visit("looked", description.looked);
  visit("written", description.written);
  visit("writer", description.writer);
  visit("traced", description.is_traced);
  visit("creator", description.creator);
  visit("owner", description.owner);
  visit("claimer", description.claimer);
  visit("semaphores", description.semaphores);
  visit("log_semaphore", description.log_semaphore);
  visit("keywords", description.keywords);
  visit("trace", description.trace);
}

template <class Visit>
void visit_members(Visit& visit, Watched& watched) {
  visit("description", watched.description);
  visit("rate", watched.rate);
  visit("missed", watched.missed);
  visit("recreated", watched.recreated);
}

template <class Visit>
void visit_members(Visit& visit, Holders& holders) {
  visit("processes", holders.processes);
  visit("unknown", holders.unknown);
}

template <class Visit>
void visit_members(Visit& visit, HolderTable::Removed& removed) {
  visit("identity", removed.identity);
  visit("path", removed.path);
}

struct NamedInode {
  ino_t inode = 0;
  std::string name;
};

template <class Visit>
void visit_members(Visit& visit, NamedInode& named) {
  visit("inode", named.inode);
  visit("name", named.name);
}

/// What stands before the streams.
struct SightHead {
  std::string host;
  std::uint64_t streams = 0;
  std::vector<Holders> holders;
  std::vector<Process> processes;
  std::vector<NamedInode> names;
  std::vector<HolderTable::Removed> removed;
};

template <class Visit>
void visit_members(Visit& visit, SightHead& head) {
  visit("host", head.host);
  visit("streams", head.streams);
  visit("holders", head.holders);
  visit("processes", head.processes);
  visit("names", head.names);
  visit("removed", head.removed);
}

/// Puts members into a map.
class SightWriter {
 public:
  template <class Struct>
  static SightMap map_of(Struct& value) {
    SightWriter writer;
    visit_members(writer, value);
    return std::move(writer.map_);
  }

  template <class Value>
  void operator()(const char* key, Value& value) {
    map_[key] = said(value);
  }
  template <class Enum>
  void operator()(const char* key, Enum& value, Enum /*last*/) {
    map_[key] = said(value);
  }

 private:
  template <class Value>
  static SightMap said(Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      return static_cast<std::int32_t>(value);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      return value;
    } else {
      return map_of(value);
    }
  }
  static SightMap said(std::string& text) {
    return is_utf8(text) ? SightMap(text) : SightMap::binary({text.begin(), text.end()});
  }
  static SightMap said(std::filesystem::path& path) {
    std::string text = path.string();
    return said(text);
  }
  static SightMap said(Tai& time) { return time.time_since_epoch().count(); }
  static SightMap said(Seconds& time) { return time.count(); }
  static SightMap said(layout::Metadata& header) {
    const auto bytes = std::as_bytes(std::span(&header, 1));
    std::vector<std::uint8_t> copy(bytes.size());
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    return SightMap::binary(std::move(copy));
  }
  static SightMap said(std::variant<std::int64_t, double, std::string>& value) {
    return std::visit([](auto& held) { return said(held); }, value);
  }
  template <class Value>
  static SightMap said(std::optional<Value>& value) {
    return value ? said(*value) : SightMap();
  }
  template <class Value>
  static SightMap said(std::vector<Value>& values) {
    SightMap list = SightMap::array();
    for (Value& value : values) {
      list.push_back(said(value));
    }
    return list;
  }
  SightMap map_ = SightMap::object();
};

/// Takes members from a map, whatever it is.
class SightReader {
 public:
  explicit SightReader(const SightMap& map) : map_(map) {
    if (!map.is_object()) {
      refuse_sight("has what is no map");
    }
  }
  template <class Value>
  void operator()(const char* key, Value& value) {
    hear(key, find(key), value);
  }
  template <class Enum>
  void operator()(const char* key, Enum& value, Enum last) {
    hear(key, find(key), value);
    if (std::cmp_less(static_cast<std::int32_t>(value), 0) || value > last) {
      refuse_sight(fmt::format("has a '{}' that there is not", key));
    }
  }

 private:
  [[nodiscard]] const SightMap& find(const char* key) const {
    const auto found = map_.find(key);
    if (found == map_.end()) {
      refuse_sight(fmt::format("lacks '{}'", key));
    }
    return *found;
  }
  [[noreturn]] static void refuse_value(const char* key) {
    refuse_sight(fmt::format("has a '{}' that cannot be", key));
  }
  template <class Value>
  static void hear(const char* key, const SightMap& said, Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      std::int32_t number = 0;
      hear(key, said, number);
      value = static_cast<Value>(number);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      const bool fits =
          said.is_number_unsigned()
              ? std::in_range<Value>(said.get<std::uint64_t>())
              : said.is_number_integer() && std::in_range<Value>(said.get<std::int64_t>());
      if (!fits) {
        refuse_value(key);
      }
      value = said.get<Value>();
    } else {
      SightReader reader(said);
      visit_members(reader, value);
    }
  }
  static void hear(const char* key, const SightMap& said, bool& value) {
    if (!said.is_boolean()) {
      refuse_value(key);
    }
    value = said.get<bool>();
  }
  static void hear(const char* key, const SightMap& said, double& value) {
    if (!said.is_number()) {
      refuse_value(key);
    }
    value = said.get<double>();
  }
  static void hear(const char* key, const SightMap& said, std::string& text) {
    if (said.is_binary()) {
      const auto& bytes = said.get_binary();
      text.assign(bytes.begin(), bytes.end());
    } else if (said.is_string()) {
      text = said.get<std::string>();
    } else {
      refuse_value(key);
    }
  }
  static void hear(const char* key, const SightMap& said, std::filesystem::path& path) {
    std::string text;
    hear(key, said, text);
    path = text;
  }
  static void hear(const char* key, const SightMap& said, Tai& time) {
    std::int64_t nanoseconds = 0;
    hear(key, said, nanoseconds);
    time = Tai(std::chrono::nanoseconds{nanoseconds});
  }
  static void hear(const char* key, const SightMap& said, Seconds& time) {
    double seconds = 0;
    hear(key, said, seconds);
    time = Seconds(seconds);
  }
  static void hear(const char* key, const SightMap& said, layout::Metadata& header) {
    if (!said.is_binary() || said.get_binary().size() != sizeof header) {
      refuse_value(key);
    }
    std::memcpy(&header, said.get_binary().data(), sizeof header);
  }
  static void hear(const char* key, const SightMap& said,
                   std::variant<std::int64_t, double, std::string>& value) {
    if (said.is_number_float()) {
      value = said.get<double>();
    } else if (said.is_number()) {
      hear(key, said, value.emplace<std::int64_t>());
    } else {
      hear(key, said, value.emplace<std::string>());
    }
  }
  template <class Value>
  static void hear(const char* key, const SightMap& said, std::optional<Value>& value) {
    value.reset();
    if (!said.is_null()) {
      hear(key, said, value.emplace());
    }
  }
  template <class Value>
  static void hear(const char* key, const SightMap& said, std::vector<Value>& values) {
    if (!said.is_array()) {
      refuse_value(key);
    }
    for (const SightMap& item : said) {
      hear(key, item, values.emplace_back());
    }
  }
  const SightMap& map_;
};

void require_name(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    refuse_sight("has a stream with no name");
  }
}

/// What a stream's own header says of its format; not every number is one.
Format format_in(const layout::Metadata& header) {
  const layout::Geometry geometry = layout::geometry_in(header);
  if (!layout::lay_out(geometry)) {
    refuse_sight("has a header that makes no stream");
  }
  return format_of(geometry);
}

/// One after the other, out of a sequence.
class SightItems {
 public:
  explicit SightItems(std::span<const std::byte> bytes)
      : rest_(bytes), reader_("", [this](std::span<std::byte> room) {
          const std::size_t part = std::min(room.size(), rest_.size());
          std::copy_n(rest_.begin(), part, room.begin());
          rest_ = rest_.subspan(part);
          return part;
        }) {}
  template <class Struct>
  void read(Struct& value) {
    reader_.forget();
    const SightMap map = reader_.value();
    SightReader reader(map);
    visit_members(reader, value);
  }
  [[nodiscard]] bool has_more() { return reader_.wait(); }

 private:
  std::span<const std::byte> rest_;
  CborReader reader_;
};

}  // namespace

std::string encode_sight(const Sight& sight) {
  SightHead head{sight.host, sight.streams.size(), sight.holders, sight.processes,
                 {},         sight.removed};
  for (const auto& [inode, name] : sight.names) {
    head.names.push_back({inode, name});
  }
  std::string bytes;
  SightMap::to_cbor(SightWriter::map_of(head), bytes);
  for (Watched watched : sight.streams) {
    std::string item;
    SightMap::to_cbor(SightWriter::map_of(watched), item);
    bytes += item;
  }
  return bytes;
}

Sight decode_sight(std::span<const std::byte> bytes) {
  SightItems items(bytes);
  SightHead head;
  items.read(head);
  Sight sight;
  sight.host = std::move(head.host);
  sight.holders = std::move(head.holders);
  sight.processes = std::move(head.processes);
  sight.removed = std::move(head.removed);
  for (NamedInode& named : head.names) {
    require_name(named.name);
    sight.names.emplace(named.inode, std::move(named.name));
  }
  for (std::uint64_t i = 0; i < head.streams; ++i) {
    Watched& watched = sight.streams.emplace_back();
    items.read(watched);
    Description& description = watched.description;
    require_name(description.name);
    if (!description.unreadable) {
      description.format = format_in(description.header);
    }
  }
  if (items.has_more() || (!sight.holders.empty() && sight.holders.size() != head.streams)) {
    refuse_sight("says more, or less, than it should");
  }
  return sight;
}

}  // namespace shmim
