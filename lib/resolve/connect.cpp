#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/read_text.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/resolve.hpp"
#include "shmim/write.hpp"

namespace shmim {
namespace {

/// The local streams of this process, by name.
class LocalMemory {
 public:
  static LocalMemory& instance() {
    static LocalMemory memory;
    return memory;
  }
  [[nodiscard]] std::optional<Stream> find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto entry = streams_.find(name);
    return entry == streams_.end() ? std::nullopt : std::optional(entry->second.duplicate());
  }
  /// False where the name is taken.
  [[nodiscard]] bool insert(const Stream& stream) {
    const std::lock_guard lock(mutex_);
    return streams_.try_emplace(stream.name(), stream.duplicate()).second;
  }
  /// False where there was none.
  bool replace(const Stream& stream) {
    const std::lock_guard lock(mutex_);
    const bool was_there = streams_.erase(stream.name()) > 0;
    streams_.try_emplace(stream.name(), stream.duplicate());
    return was_there;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Stream> streams_;
};

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  // What we may not look at may be there: who opens it will be told why that cannot be.
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
}

/// The first two places, which hold streams; the others hold files.
Found find_in_memory(const Reference& reference, const Places& places) {
  if (reference.location != Location::shared && LocalMemory::instance().find(reference.name)) {
    return {Origin::local_memory, {}};
  }
  if (reference.location != Location::local) {
    if (auto path = stream_path(require_directory(places.shm), reference.name); is_there(path)) {
      return {Origin::shared_memory, std::move(path)};
    }
  }
  return {};
}

/// The first line of a file, which is to name `what`, without the blanks around it.
std::string first_line(const std::filesystem::path& path, const char* what) {
  const std::string text = read_text(path).value_or("");
  if (text.empty()) {
    throw Error(Problem::failed, path.string(),
                fmt::format("cannot read the name of {} from it", what));
  }
  const std::string line = text.substr(0, text.find('\n'));
  const std::size_t begin = line.find_first_not_of(" \t");
  const std::size_t end = line.find_last_not_of(" \t\r");
  if (begin == std::string::npos) {
    throw Error(Problem::failed, path.string(),
                fmt::format("its first line is to name {}, and is empty", what));
  }
  return line.substr(begin, end - begin + 1);
}

/// The FITS file that conf/shmim.NAME.fname.txt names.
std::filesystem::path named_file(const std::filesystem::path& list) {
  return first_line(list, "a FITS file");
}

Demand with_type_of(const Reference& reference, Demand demand) {
  if (reference.type) {
    if (demand.type && *demand.type != *reference.type) {
      throw Error(Problem::usage, reference.text,
                  fmt::format("the reference says {}, the option {}", to_string(*reference.type),
                              to_string(*demand.type)));
    }
    demand.type = reference.type;
  }
  return demand;
}

std::unique_ptr<ImageFile> open_image(const Found& found, const Places& places) {
  if (!places.open_image) {
    throw Error(Problem::failed, found.file.string(), "FITS files cannot be read by this program");
  }
  return places.open_image(found.file.string());
}

/// Format of a stream made from an image: what is demanded, and else what the image says.
Format format_for(const ImageFile& image, const Demand& demand) {
  Format format = image.format();
  format.keywords = demand.keywords.value_or(format.keywords);
  format.circular_buffer = demand.circular_buffer.value_or(format.circular_buffer);
  format.semaphores = demand.semaphores.value_or(format.semaphores);
  format.image_type = demand.image_type.value_or(format.image_type);
  return format;
}

std::vector<std::string> set_keywords(const ImageFile& image, const Stream& stream) {
  std::vector<std::string> unfit = image.unfit_keywords();
  const Keywords keywords = stream.keywords();
  for (const Keyword& keyword : image.keywords()) {
    try {
      keywords.set(keyword);
    } catch (const Error&) {
      unfit.push_back(fmt::format("{} (no slot left of {})", keyword.name, keywords.capacity()));
    }
  }
  return unfit;
}

Stream prepare_draft(const Reference& reference, const Making& making, const Places& places) {
  Stream stream = reference.location == Location::local
                      ? Stream::local(reference.name, making.format)
                      : Stream::draft(require_directory(places.shm), reference.name, making.format,
                                      making.mode);
  if (making.prepare) {
    making.prepare(stream);
  }
  return stream;
}

bool publish_new(const Reference& reference, Stream& stream) {
  return reference.location == Location::local ? LocalMemory::instance().insert(stream)
                                               : stream.publish();
}

std::optional<Stream> open_found(const Found& found, const Reference& reference, Access access) {
  try {
    return found.origin == Origin::local_memory ? LocalMemory::instance().find(reference.name)
                                                : Stream::open(found.file, access);
  } catch (const Error& error) {
    if (error.problem() == Problem::not_found) {
      return std::nullopt;  // removed since it was found
    }
    throw;
  }
}

bool in_memory(Origin origin) noexcept {
  return origin == Origin::local_memory || origin == Origin::shared_memory;
}

[[noreturn]] void throw_exists(const Reference& reference, const Found& found) {
  throw Error(Problem::exists, reference.name,
              fmt::format("exists already{}", found.file.empty()
                                                  ? std::string(" in local memory")
                                                  : fmt::format(": {}", found.file.string())));
}

/// What to do about a stream that is missing, or is not as demanded.
struct Remedy {
  const Making* making = nullptr;  ///< how to make it; not set: say so and leave it
  bool replace = false;            ///< whether to put it in the place of one that differs
};

/// One attempt to connect; nothing where the world changed under it and another is due.
std::optional<Connection> try_connect(const Reference& reference, const Demand& demand,
                                      const Remedy& remedy, const Places& places, Access access) {
  const Found found = find(reference, places);
  Connection connection;
  connection.origin = found.origin;
  connection.file = found.file;
  if (in_memory(found.origin)) {
    if (reference.existence == Existence::must_be_new) {
      throw_exists(reference, found);
    }
    connection.stream = open_found(found, reference, access);
    if (!connection.stream) {
      return std::nullopt;
    }
    connection.differences = differences(connection.stream->format(), demand);
    if (connection.differences.empty()) {
      connection.outcome = Outcome::connected;
    } else if (!remedy.replace) {
      connection.outcome = Outcome::mismatch;
    } else {
      auto differing = std::move(connection.differences);
      connection = recreate(reference, *remedy.making, places);
      connection.differences = std::move(differing);
    }
    return connection;
  }
  if (found.origin != Origin::nowhere) {
    const auto image = open_image(found, places);
    connection.differences = differences(image->format(), frames_of(demand));
    if (connection.differences.empty()) {
      Making loading;
      loading.format = format_for(*image, demand);
      loading.mode = places.mode;
      loading.prepare = [&](Stream& stream) { connection.unfit_keywords = fill(*image, stream); };
      Stream stream = prepare_draft(reference, loading, places);
      if (!publish_new(reference, stream)) {
        return std::nullopt;
      }
      connection.stream = std::move(stream);
      connection.outcome = Outcome::created;
      return connection;
    }
    if (!remedy.replace) {
      connection.outcome = Outcome::mismatch;
      return connection;
    }
  }
  if (remedy.making == nullptr || reference.existence == Existence::must_exist) {
    connection.outcome = Outcome::not_found;
    return connection;
  }
  Stream stream = prepare_draft(reference, *remedy.making, places);
  if (!publish_new(reference, stream)) {
    return std::nullopt;
  }
  connection.origin = Origin::nowhere;
  connection.stream = std::move(stream);
  connection.outcome = Outcome::created;
  return connection;
}

Connection connect_with(const Reference& reference, const Demand& demand, const Remedy& remedy,
                        const Places& places, Access access) {
  const Demand all = with_type_of(reference, demand);
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (auto connection = try_connect(reference, all, remedy, places, access)) {
      return *std::move(connection);
    }
  }
  throw Error(
      Problem::busy, reference.name,
      fmt::format("is made and removed by others faster than we can look ({} times)", attempts));
}

}  // namespace

Found find_file(const std::string& name, const Places& places) {
  if (places.conf.empty()) {
    return {};
  }
  if (auto file = places.conf / fmt::format("shmim.{}.fits", name); is_there(file)) {
    return {Origin::conf_fits, std::move(file)};
  }
  if (const auto list = places.conf / fmt::format("shmim.{}.fname.txt", name); is_there(list)) {
    return {Origin::conf_name, named_file(list)};
  }
  return {};
}

std::string linked_stream(const std::string& name, const Places& places) {
  const std::filesystem::path list = places.conf / fmt::format("streamlink.{}.name.txt", name);
  if (!is_there(list)) {
    throw Error(Problem::not_found, name,
                fmt::format("no target is given, and there is no {}", list.string()));
  }
  return first_line(list, "a stream");
}

Found find(const Reference& reference, const Places& places) {
  Found found = find_in_memory(reference, places);
  return found.origin == Origin::nowhere ? find_file(reference.name, places) : found;
}

Connection connect(const Reference& reference, const Places& places, Access access) {
  return connect_with(reference, {}, {}, places, access);
}

Connection connect_checked(const Reference& reference, const Demand& demand, const Places& places,
                           Access access) {
  return connect_with(reference, demand, {}, places, access);
}

Connection connect_or_create(const Reference& reference, const Demand& demand, const Making& making,
                             const Places& places) {
  return connect_with(reference, demand, {&making, true}, places, Access::best);
}

Connection create_if_missing(const Reference& reference, const Demand& demand, const Making& making,
                             const Places& places) {
  return connect_with(reference, demand, {&making, false}, {places.shm, {}, {}}, Access::best);
}

Stream create(const Reference& reference, const Making& making, const Places& places) {
  Stream stream = prepare_draft(reference, making, places);
  if (!publish_new(reference, stream)) {
    throw_exists(reference, {Origin::shared_memory, stream.path()});
  }
  return stream;
}

Connection recreate(const Reference& reference, const Making& making, const Places& places) {
  Stream stream = prepare_draft(reference, making, places);
  Connection connection;
  connection.outcome = Outcome::created;
  if (reference.location == Location::local) {
    if (LocalMemory::instance().replace(stream)) {
      connection.outcome = Outcome::recreated;
      connection.origin = Origin::local_memory;
    }
  } else {
    connection.previous_owner = stream.publish_over();
    if (connection.previous_owner) {
      connection.outcome = Outcome::recreated;
      connection.origin = Origin::shared_memory;
      connection.file = stream.path();
    }
  }
  connection.stream = std::move(stream);
  return connection;
}

std::vector<std::string> fill(ImageFile& image, const Stream& draft) {
  WriteGuard guard(draft);
  image.read(guard.pixels());
  std::vector<std::string> unfit = set_keywords(image, draft);
  guard.publish(Posts::only({}));
  return unfit;
}

std::vector<std::string> load_frame(ImageFile& image, const Stream& stream) {
  stream.require_unclaimed();
  // By way of memory of our own: a file that turns out to be damaged must not leave half a frame.
  std::vector<std::byte> pixels(image.format().bytes());
  image.read(pixels);
  WriteGuard guard(stream);
  std::memcpy(guard.pixels().data(), pixels.data(), pixels.size());
  std::vector<std::string> unfit = set_keywords(image, stream);
  guard.publish();
  return unfit;
}

Stream open_existing(const Reference& reference, const Places& places, Access access) {
  const Found found = find_in_memory(reference, places);
  std::optional<Stream> stream;
  if (in_memory(found.origin)) {
    stream = open_found(found, reference, access);
  }
  if (!stream) {
    throw Error(Problem::not_found, reference.name,
                fmt::format("no such stream in {}", places.shm.string()));
  }
  const auto differing = differences(stream->format(), with_type_of(reference, {}));
  if (!differing.empty()) {
    throw Error(Problem::mismatch, reference.name, to_string(differing));
  }
  return *std::move(stream);
}

}  // namespace shmim
