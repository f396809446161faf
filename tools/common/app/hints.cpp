#include "common/app/hints.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/statvfs.h>

namespace shmim::tools {
namespace {

/// How many characters must be put in, left out, changed or swapped with the next to make `b` of
/// `a`.
std::size_t slips_between(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> slips(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        slips[i][j] = i + j;
        continue;
      }
      slips[i][j] = std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1,
                              slips[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        slips[i][j] = std::min(slips[i][j], slips[i - 2][j - 2] + 1);
      }
    }
  }
  return slips[a.size()][b.size()];
}

std::string missing_hint(const Advice& advice, const std::string& name, const Subject& subject,
                         const std::string& where) {
  const auto command = [&](const char* form, const std::string& stream) {
    return form == nullptr ? std::string()
                           : fmt::format(fmt::runtime(form), shell_word(stream)) + where;
  };
  const bool is_there = identity_of(stream_path(subject.where.shm, name)).has_value();
  const bool is_local =
      subject.reference != nullptr && subject.reference->location == Location::local;
  if (advice.missing == nullptr || is_there || is_local || is_pattern(name)) {
    return {};
  }
  if (find_file(name, subject.where).origin != Origin::nowhere) {
    return command("shmim-connect {}", name);
  }
  if (const std::string similar = similar_name(name, list_streams(subject.where.shm));
      advice.similar != nullptr && !similar.empty()) {
    return command(advice.similar, similar);
  }
  return command(advice.missing, name);
}

/// A file system can be full of files, and have room for bytes.
bool has_no_inodes(const std::filesystem::path& directory) {
  struct statvfs status {};
  return ::statvfs(directory.c_str(), &status) == 0 && status.f_files > 0 && status.f_favail == 0 &&
         status.f_bavail > 0;
}

std::string full_hint(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored)
             ? fmt::format("df -h{} {}", has_no_inodes(folder) ? "i" : "",
                           shell_word(folder.string()))
             : std::string();
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::is_directory(file, ignored) ? file
         : file.has_parent_path()                     ? file.parent_path()
                                                      : ".";
}

/// The stream that an error is about, if the user named none: its name, or its file's.
std::string name_of(const std::string& subject, const std::filesystem::path& directory) {
  const std::filesystem::path path(subject);
  const std::string file = path.filename().string();
  return path.parent_path() == directory && file.ends_with(stream_suffix)
             ? file.substr(0, file.size() - stream_suffix.size())
             : subject;
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "_-./:,+@%=";
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || plain.find(c) != plain.npos;
  });
  if (is_plain) {
    return text;
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string similar_name(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t longest = 80;
  const std::size_t most_slips = name.size() < 3 ? 0 : name.size() < 6 ? 1 : 2;
  std::pair<std::size_t, std::string> best{most_slips + 1, {}};
  for (const std::string& other : names) {
    if (name.size() <= longest && other.size() <= longest) {
      best = std::min(best, {slips_between(name, other), other});
    }
  }
  return best.second;
}

std::string hint_for_directory(const Error& error) {
  const std::string& subject = error.subject();
  const bool is_variable = subject == "MILK_SHM_DIR";
  const char* value = is_variable ? std::getenv("MILK_SHM_DIR") : subject.c_str();
  std::error_code ignored;
  if (value == nullptr || *value == '\0' ||
      std::filesystem::symlink_status(value, ignored).type() !=
          std::filesystem::file_type::not_found) {
    return {};
  }
  return fmt::format("mkdir -p {}", is_variable ? "\"$MILK_SHM_DIR\"" : shell_word(subject));
}

std::string hint(const Advice& advice, const Error& error, const Subject& subject) {
  const std::string name = subject.reference != nullptr
                               ? subject.reference->name
                               : name_of(error.subject(), subject.where.shm);
  const std::string where = subject.dir.empty() ? "" : " --dir " + shell_word(subject.dir);
  const std::filesystem::path path = stream_path(subject.where.shm, name);
  // Of the stream itself, and not of a file that it was to be made from.
  const bool is_of_stream =
      error.subject().empty() || error.subject() == name || error.subject() == path.string();
  switch (error.problem()) {
    case Problem::not_found:
      return error.subject() == name && name.find('/') == name.npos
                 ? missing_hint(advice, name, subject, where)
                 : std::string();
    case Problem::exists:
      return advice.exists == nullptr
                 ? std::string()
                 : fmt::format(fmt::runtime(advice.exists), shell_word(name)) + where;
    case Problem::mismatch:
      return identity_of(path) ? fmt::format("shmim-info {}{}", shell_word(name), where)
                               : std::string();
    case Problem::too_short:
    case Problem::no_version:
    case Problem::wrong_size:
    case Problem::bad_header:
    case Problem::dangling_link:
      return is_of_stream ? fmt::format(fmt::runtime(advice.unreadable), shell_word(name)) + where
                          : std::string();
    case Problem::no_space:
      return full_hint(is_of_stream ? subject.where.shm : folder_of(error.subject()));
    case Problem::no_directory:
      return hint_for_directory(error);
    case Problem::unfinished:
      return fmt::format("shmim-post {} --data FILE{}", shell_word(name), where);
    case Problem::no_permission:
    case Problem::not_ours_to_write:
      return subject.reference != nullptr && is_of_stream
                 ? fmt::format("ls -l {}", shell_word(path.string()))
                 : std::string();
    default:
      return {};
  }
}

}  // namespace shmim::tools
