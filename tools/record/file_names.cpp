#include "record/file_names.hpp"

#include <array>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <shmim/recording.hpp>

#include "common/io/exit.hpp"

namespace shmim::tools {

FileNames::FileNames(std::string pattern, bool avoids_files)
    : pattern_(std::move(pattern)), avoids_files_(avoids_files) {
  static_cast<void>(expand("name", 1));
}

std::string FileNames::expand(const std::string& stream, unsigned n) const {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 4096> dated{};
  const std::size_t length = std::strftime(dated.data(), dated.size(), pattern_.c_str(), &utc);
  try {
    if (length > 0) {
      return fmt::format(fmt::runtime({dated.data(), length}), fmt::arg("name", stream),
                         fmt::arg("n", n));
    }
  } catch (const fmt::format_error&) {  // a field that there is none of
  }
  throw UsageError(
      fmt::format("--output: '{}' is not like run.fits, {{name}}-%Y%m%dT%H%M%S.fits or "
                  "{{name}}-{{n:04}}.fits",
                  pattern_));
}

std::string FileNames::unused(const std::string& stream, unsigned n) const {
  const std::filesystem::path first = expand(stream, n);
  std::string name = first.string();
  for (unsigned again = 2; is_had(name); ++again) {
    std::filesystem::path other = first;
    other.replace_filename(
        fmt::format("{}-{}{}", first.stem().string(), again, first.extension().string()));
    name = other.string();
  }
  return name;
}

std::string FileNames::peek(const std::string& stream, unsigned n) const {
  const std::lock_guard lock(mutex_);
  return unused(stream, n);
}

std::string FileNames::next(const std::string& stream, unsigned n) {
  const std::lock_guard lock(mutex_);
  return *had_.insert(unused(stream, n)).first;
}

bool FileNames::is_had(const std::string& name) const {
  std::error_code none;
  return had_.contains(name) ||
         (avoids_files_ && (std::filesystem::exists(name, none) || is_unfinished(name)));
}

bool FileNames::tells_streams_apart() const { return expand("a", 1) != expand("b", 1); }

}  // namespace shmim::tools
