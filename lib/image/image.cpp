#include "shmim/image.hpp"

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/pattern.hpp"
#include "shmim/reference.hpp"

namespace shmim {
namespace {

Reference whole_stream(std::string_view text) {
  Reference reference = parse_reference(text);
  if (!reference.slice.empty()) {
    throw Error(Problem::usage, reference.text, "a whole stream is opened, without a slice");
  }
  return reference;
}

}  // namespace

SearchPath default_search_path() {
  SearchPath search_path;
  search_path.shm = default_shm_directory();
  return search_path;
}

Stream open(std::string_view reference, Access access) {
  return open(reference, default_search_path(), access);
}

Stream open(std::string_view reference, const SearchPath& search_path, Access access) {
  return open_existing(whole_stream(reference), search_path, access);
}

std::vector<Description> streams(std::string_view pattern) {
  return streams(pattern, default_shm_directory());
}

std::vector<Description> streams(std::string_view pattern, const std::filesystem::path& directory) {
  const Reference wanted = parse_pattern(pattern);
  require_of_this_host(wanted);
  ProcessTable processes;
  std::vector<Description> found;
  for (const std::string& name : list_streams(directory)) {
    if (!matches(wanted, name, wanted.type)) {
      continue;
    }
    Description description = describe(stream_path(directory, name), processes);
    if (!description.unreadable && (!wanted.type || *wanted.type == description.format.type)) {
      found.push_back(std::move(description));
    }
  }
  return found;
}

namespace detail {

void require_type(const Stream& stream, DataType type) {
  Requirement requirement;
  requirement.type = type;
  const auto differing = differences(stream.format(), requirement);
  if (!differing.empty()) {
    throw Error(Problem::mismatch, stream.name(), to_string(differing));
  }
}

void throw_outside(const Shape& shape, std::uint64_t x, std::uint64_t y, std::uint64_t z) {
  throw Error(Problem::usage, "",
              fmt::format("({}, {}, {}) is outside of a frame of {}", x, y, z, to_string(shape)));
}

void require_count(const Publisher& publisher, std::size_t elements) {
  const Shape shape = publisher.frame_shape();
  if (elements != shape.elements()) {
    throw Error(Problem::usage, publisher.stream().name(),
                fmt::format("a frame of {} has {} elements, and {} were given", to_string(shape),
                            shape.elements(), elements));
  }
}

Stream open_or_create(std::string_view reference, const Format& format,
                      const SearchPath& search_path) {
  const Reference wanted = whole_stream(reference);
  Requirement requirement = type_and_shape(format);
  requirement.circular_buffer = format.circular_buffer;
  Connection connection =
      create_if_missing(wanted, requirement, CreateOptions{format, {}, {}}, search_path);
  if (connection.outcome == Outcome::mismatch) {
    throw Error(Problem::mismatch, wanted.name, to_string(connection.differences));
  }
  if (!connection.stream) {
    throw Error(Problem::not_found, wanted.name, "no such stream");
  }
  return *std::move(connection.stream);
}

}  // namespace detail
}  // namespace shmim
