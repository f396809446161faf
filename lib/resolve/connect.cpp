#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "resolve/find.hpp"
#include "resolve/local.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"
#include "shmim/resolve.hpp"
#include "shmim/write.hpp"

namespace shmim {
namespace {

Requirement with_type_of(const Reference& reference, Requirement requirement) {
  if (reference.type) {
    if (requirement.type && *requirement.type != *reference.type) {
      throw Error(Problem::usage, reference.text,
                  fmt::format("the reference says {}, the option {}", to_string(*reference.type),
                              to_string(*requirement.type)));
    }
    requirement.type = reference.type;
  }
  return requirement;
}

std::unique_ptr<ImageFile> open_image(const SearchResult& found, const SearchPath& search_path) {
  if (!search_path.open_image) {
    throw Error(Problem::failed, found.file.string(), "FITS files cannot be read by this program");
  }
  return search_path.open_image(found.file.string());
}

/// Format of a stream made from an image: what is demanded, and else what the image says.
Format format_for(const ImageFile& image, const Requirement& requirement) {
  Format format = image.format();
  format.keywords = requirement.keywords.value_or(format.keywords);
  format.circular_buffer = requirement.circular_buffer.value_or(format.circular_buffer);
  format.semaphores = requirement.semaphores.value_or(format.semaphores);
  format.image_type = requirement.image_type.value_or(format.image_type);
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

void set_atime(WriteGuard& guard, const ImageFile& image) {
  if (const auto frame = image.frame(); frame && is_date(frame->atime)) {
    guard.set_atime(frame->atime);
  }
}

Stream prepare_draft(const Reference& reference, const CreateOptions& creation,
                     const SearchPath& search_path) {
  require_of_this_host(reference);
  Stream stream = reference.location == Location::local
                      ? Stream::local(reference.name, creation.format)
                      : Stream::draft(require_directory(search_path.shm), reference.name,
                                      creation.format, creation.mode);
  if (creation.prepare) {
    creation.prepare(stream);
  }
  return stream;
}

bool publish_new(const Reference& reference, Stream& stream) {
  return reference.location == Location::local ? LocalMemory::instance().insert(stream)
                                               : stream.publish();
}

std::optional<Stream> open_found(const SearchResult& found, const Reference& reference,
                                 Access access) {
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

[[noreturn]] void throw_exists(const Reference& reference, const SearchResult& found) {
  throw Error(Problem::exists, reference.name,
              fmt::format("exists already{}", found.file.empty()
                                                  ? std::string(" in local memory")
                                                  : fmt::format(": {}", found.file.string())));
}

/// What to do about a stream that is missing, or is not as demanded.
struct Remedy {
  const CreateOptions* creation = nullptr;  ///< how to make it; not set: say so and leave it
  bool replace = false;                     ///< whether to put it in the place of one that differs
};

/// Each step of an attempt gives nullopt if the world changed under it and another attempt is due.
using Attempt = std::optional<Connection>;

Attempt open_stream(const Reference& reference, const Requirement& requirement,
                    const Remedy& remedy, const SearchPath& search_path, Access access,
                    const SearchResult& found) {
  if (reference.existence == Existence::must_be_new) {
    throw_exists(reference, found);
  }
  Connection connection;
  connection.origin = found.origin;
  connection.file = found.file;
  connection.stream = open_found(found, reference, access);
  if (!connection.stream) {
    return std::nullopt;
  }
  connection.differences = differences(connection.stream->format(), requirement);
  if (connection.differences.empty()) {
    connection.outcome = Outcome::connected;
  } else if (!remedy.replace) {
    connection.outcome = Outcome::mismatch;
  } else {
    auto differing = std::move(connection.differences);
    connection = recreate(reference, *remedy.creation, search_path);
    connection.differences = std::move(differing);
  }
  return connection;
}

Attempt load_file(const Reference& reference, const Requirement& requirement,
                  const SearchPath& search_path, const SearchResult& found) {
  Connection connection;
  connection.origin = found.origin;
  connection.file = found.file;
  const auto image = open_image(found, search_path);
  connection.differences = differences(image->format(), type_and_shape(requirement));
  if (!connection.differences.empty()) {
    connection.outcome = Outcome::mismatch;
    return connection;
  }
  CreateOptions loading;
  loading.format = format_for(*image, requirement);
  loading.mode = search_path.mode;
  loading.prepare = [&](Stream& stream) { connection.unfit_keywords = fill(*image, stream); };
  Stream stream = prepare_draft(reference, loading, search_path);
  if (!publish_new(reference, stream)) {
    return std::nullopt;
  }
  connection.stream = std::move(stream);
  connection.outcome = Outcome::created;
  return connection;
}

Attempt make_stream(const Reference& reference, const CreateOptions& creation,
                    const SearchPath& search_path) {
  Stream stream = prepare_draft(reference, creation, search_path);
  if (!publish_new(reference, stream)) {
    return std::nullopt;
  }
  Connection connection;
  connection.stream = std::move(stream);
  connection.outcome = Outcome::created;
  return connection;
}

Attempt try_connect(const Reference& reference, const Requirement& requirement,
                    const Remedy& remedy, const SearchPath& search_path, Access access) {
  const SearchResult found = find(reference, search_path);
  if (in_memory(found.origin)) {
    return open_stream(reference, requirement, remedy, search_path, access, found);
  }
  if (found.origin != Origin::nowhere) {
    Attempt loaded = load_file(reference, requirement, search_path, found);
    if (!loaded || loaded->outcome != Outcome::mismatch || !remedy.replace) {
      return loaded;
    }
  }
  if (remedy.creation == nullptr || reference.existence == Existence::must_exist) {
    Connection connection;
    connection.origin = found.origin;
    connection.file = found.file;
    return connection;  // not found
  }
  return make_stream(reference, *remedy.creation, search_path);
}

Connection connect_with(const Reference& reference, const Requirement& requirement,
                        const Remedy& remedy, const SearchPath& search_path, Access access) {
  const Requirement all = with_type_of(reference, requirement);
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (auto connection = try_connect(reference, all, remedy, search_path, access)) {
      return *std::move(connection);
    }
  }
  throw Error(
      Problem::busy, reference.name,
      fmt::format("is made and removed by others faster than we can look ({} times)", attempts));
}

}  // namespace

Connection connect(const Reference& reference, const SearchPath& search_path, Access access) {
  return connect_with(reference, {}, {}, search_path, access);
}

Connection connect_checked(const Reference& reference, const Requirement& requirement,
                           const SearchPath& search_path, Access access) {
  return connect_with(reference, requirement, {}, search_path, access);
}

Connection connect_or_create(const Reference& reference, const Requirement& requirement,
                             const CreateOptions& creation, const SearchPath& search_path) {
  return connect_with(reference, requirement, {&creation, true}, search_path, Access::best);
}

Connection create_if_missing(const Reference& reference, const Requirement& requirement,
                             const CreateOptions& creation, const SearchPath& search_path) {
  return connect_with(reference, requirement, {&creation, false}, {search_path.shm, {}, {}},
                      Access::best);
}

Stream create(const Reference& reference, const CreateOptions& creation,
              const SearchPath& search_path) {
  Stream stream = prepare_draft(reference, creation, search_path);
  if (!publish_new(reference, stream)) {
    throw_exists(reference, {Origin::shared_memory, stream.path()});
  }
  return stream;
}

Connection recreate(const Reference& reference, const CreateOptions& creation,
                    const SearchPath& search_path) {
  Stream stream = prepare_draft(reference, creation, search_path);
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

void ImageFile::read_planes(std::uint64_t first, std::span<std::byte> pixels) {
  require_planes(first, pixels.size());
  const Format whole = format();
  std::vector<std::byte> all(whole.bytes());
  read(all);
  const std::uint64_t plane = whole.bytes() / whole.shape[whole.shape.axes() - 1];
  std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first * plane), pixels.size(),
              pixels.begin());
}

void ImageFile::require_planes(std::uint64_t first, std::uint64_t bytes) const {
  const Format whole = format();
  const std::uint64_t planes = whole.shape[whole.shape.axes() - 1];
  const std::uint64_t plane = whole.bytes() / planes;
  if (bytes % plane != 0 || first > planes || bytes / plane > planes - first) {
    throw Error(Problem::usage, "",
                fmt::format("{} bytes from plane {} on: an image of {} has {} of {}", bytes, first,
                            to_string(whole.shape), planes, plane));
  }
}

std::vector<std::string> fill(ImageFile& image, Stream& draft) {
  WriteGuard guard(draft);
  set_atime(guard, image);
  image.read(guard.pixels());
  std::vector<std::string> unfit = set_keywords(image, draft);
  guard.publish(SemaphoreSet::only({}));
  return unfit;
}

std::vector<std::string> load_frame(ImageFile& image, Stream& stream) {
  stream.require_unclaimed();
  // By way of memory of our own: a file that turns out to be damaged must not leave half a frame.
  std::vector<std::byte> pixels(image.format().bytes());
  image.read(pixels);
  WriteGuard guard(stream);
  set_atime(guard, image);
  guard.write(pixels);
  std::vector<std::string> unfit = set_keywords(image, stream);
  guard.publish();
  return unfit;
}

Stream open_existing(const Reference& reference, const SearchPath& search_path, Access access) {
  const SearchResult found = find_in_memory(reference, search_path);
  std::optional<Stream> stream;
  if (in_memory(found.origin)) {
    stream = open_found(found, reference, access);
  }
  if (!stream) {
    throw Error(Problem::not_found, reference.name,
                fmt::format("no such stream in {}", search_path.shm.string()));
  }
  const auto differing = differences(stream->format(), with_type_of(reference, {}));
  if (!differing.empty()) {
    throw Error(Problem::mismatch, reference.name, to_string(differing));
  }
  return *std::move(stream);
}

}  // namespace shmim
