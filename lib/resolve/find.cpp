#include "resolve/find.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/read_text.hpp"
#include "resolve/local.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"

namespace shmim {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  // What we may not look at may be there: who opens it will be told why that cannot be.
  return std::filesystem::symlink_status(path, ignored).type() !=
         std::filesystem::file_type::not_found;
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

}  // namespace

SearchResult find_in_memory(const Reference& reference, const SearchPath& search_path) {
  require_of_this_host(reference);
  if (reference.location != Location::shared && LocalMemory::instance().find(reference.name)) {
    return {Origin::local_memory, {}};
  }
  if (reference.location != Location::local) {
    if (auto path = stream_path(require_directory(search_path.shm), reference.name);
        is_there(path)) {
      return {Origin::shared_memory, std::move(path)};
    }
  }
  return {};
}

SearchResult find_file(const std::string& name, const SearchPath& search_path) {
  if (search_path.conf.empty()) {
    return {};
  }
  if (auto file = search_path.conf / fmt::format("shmim.{}.fits", name); is_there(file)) {
    return {Origin::conf_fits, std::move(file)};
  }
  if (const auto list = search_path.conf / fmt::format("shmim.{}.fname.txt", name);
      is_there(list)) {
    return {Origin::conf_name, named_file(list)};
  }
  return {};
}

std::string linked_stream(const std::string& name, const SearchPath& search_path) {
  const std::filesystem::path list = search_path.conf / fmt::format("streamlink.{}.name.txt", name);
  if (!is_there(list)) {
    throw Error(Problem::not_found, name,
                fmt::format("no target is given, and there is no {}", list.string()));
  }
  return first_line(list, "a stream");
}

SearchResult find(const Reference& reference, const SearchPath& search_path) {
  SearchResult found = find_in_memory(reference, search_path);
  return found.origin == Origin::nowhere ? find_file(reference.name, search_path) : found;
}

}  // namespace shmim
