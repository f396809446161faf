#include "common/app/tool.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <pwd.h>
#include <shmim/fits.hpp>
#include <unistd.h>

namespace shmim::tools {
namespace {

Exit exit_of(Problem problem) noexcept {
  switch (problem) {
    case Problem::usage:
      return Exit::usage;
    case Problem::not_found:
    case Problem::removed:
      return Exit::not_found;
    case Problem::exists:
      return Exit::exists;
    case Problem::mismatch:
      return Exit::mismatch;
    default:
      return Exit::failed;
  }
}

/// A word as a shell takes it for one.
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

/// How to make the directory that an error is about; nothing where something else has its name.
std::string missing_directory(const std::string& subject) {
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

}  // namespace

void Tool::declare_common(Options& options) {
  options.text("-d,--dir", "DIR", dir_,
               "shm directory (default: MILK_SHM_DIR, /milk/shm, /dev/shm)");
  options.flag("-q,--quiet", quiet_, "say nothing but errors");
  options.flag("-v,--verbose", verbose_, "say on stderr what is being done");
}

void Tool::declare_conf(Options& options) {
  options.text("--conf", "DIR", conf_, "conf directory (default: ./conf)");
}

Option& Tool::declare_json(Options& options, const char* what) {
  return options.flag("--json", json_, what);
}

void Tool::declare_print(Options& options, const char* fields) {
  options.text("--print", "TEMPLATE", print_,
               fmt::format("print this line instead, with fields as in '{{cnt0}}': {}", fields));
}

void Tool::declare_ready_fd(Options& options) {
  options.number("--ready-fd", "FD", ready_fd_,
                 "write a newline to this descriptor once waiting begins",
                 {0, std::numeric_limits<int>::max()});
}

Reference Tool::reference(const std::string& text, const Takes& takes) const {
  return checked(parse_reference(text), takes);
}

Reference Tool::pattern(const std::string& text, const Takes& takes) const {
  return checked(parse_pattern(text), takes);
}

Reference Tool::checked(Reference parsed, const Takes& takes) const {
  const std::string& text = parsed.text;
  const auto refuse = [&](char letter) {
    std::string taken;
    for (const char modifier : takes.modifiers) {
      taken += fmt::format("{}@{}:", taken.empty() ? "" : " ", modifier);
    }
    throw Error(
        Problem::usage, text,
        fmt::format("modifier {} has no meaning here; shmim-{} takes {}", letter, name_, taken));
  };
  const auto require = [&](bool is_set, char letter) {
    if (is_set && takes.modifiers.find(letter) == std::string_view::npos) {
      refuse(letter);
    }
  };
  require(parsed.location == Location::shared, 'S');
  require(parsed.location == Location::local, 'L');
  require(parsed.existence == Existence::must_exist, 'E');
  require(parsed.existence == Existence::must_be_new, 'N');
  if (!parsed.slice.empty() && !takes.slice) {
    throw Error(Problem::usage, text,
                fmt::format("a slice has no meaning here; shmim-{} takes whole streams", name_));
  }
  reference_ = parsed;
  return parsed;
}

SearchPath Tool::search_path() const {
  SearchPath search_path;
  search_path.shm = dir_.empty() ? default_shm_directory() : require_directory(dir_);
  if (!conf_.empty()) {
    search_path.conf = require_directory(conf_);
  }
  search_path.open_image = open_fits;
  return search_path;
}

Stream Tool::open(const Reference& reference, Access access) const {
  Stream stream = open_existing(reference, search_path(), access);
  detail(reference.name,
         fmt::format("opened {}: {} {}", stream.path().string(), to_string(stream.format().type),
                     to_string(stream.format().shape)));
  return stream;
}

void Tool::note(std::string_view subject, std::string_view message) const {
  if (!quiet_) {
    print_error(name_, fmt::format("{}: {}", subject, message));
  }
}

void Tool::detail(std::string_view subject, std::string_view message) const {
  if (verbose_ && !quiet_) {
    print_error(name_, fmt::format("{}: {}", subject, message));
  }
}

void Tool::warn_unfit(std::string_view subject, const std::vector<std::string>& unfit) const {
  if (!unfit.empty()) {
    note(subject, fmt::format("keywords left out: {}", fmt::join(unfit, ", ")));
  }
}

void Tool::note_previous_owner(const Connection& connection) const {
  if (connection.previous_owner && *connection.previous_owner != ::geteuid()) {
    const passwd* user = ::getpwuid(*connection.previous_owner);
    note(connection.stream->name(),
         fmt::format("replaced what belonged to user {}",
                     user == nullptr ? std::to_string(*connection.previous_owner)
                                     : std::string(user->pw_name)));
  }
}

void Tool::end_following(Arrival arrival, const Follower& follower,
                         std::string_view awaited) const {
  const std::string& name = follower.stream().name();
  switch (arrival) {
    case Arrival::interrupted:
      throw Interrupted{};
    case Arrival::removed:
      throw Error(Problem::removed, name, "was removed while we waited for its next frame");
    case Arrival::recreated:
      throw Error(Problem::mismatch, name,
                  fmt::format("was re-created with another format: {}", follower.difference()));
    case Arrival::arrived:
    case Arrival::timed_out:
      break;
  }
  note(name, fmt::format("timed out: no {} came", awaited));
  throw TimedOut{};
}

void Tool::say_ready() const {
  if (ready_fd_ && ::write(static_cast<int>(*ready_fd_), "\n", 1) != 1) {
    throw Error::system("--ready-fd", "cannot write to the descriptor", errno);
  }
  ready_fd_.reset();
}

std::string Tool::hint_for_missing(const std::string& where) const {
  const std::string name = shell_word(reference_->name);
  const bool is_there = identity_of(stream_path(search_path().shm, reference_->name)).has_value();
  if (name_ == "rm" || name_ == "ls" || name_ == "link" || name_ == "top" || is_there ||
      is_pattern(reference_->name) || reference_->location == Location::local) {
    return {};
  }
  if (name_ != "connect" && find_file(reference_->name, search_path()).origin != Origin::nowhere) {
    return fmt::format("shmim-connect {}{}", name, where);
  }
  return name_ == "wait" ? fmt::format("shmim-wait {} --appear{}", name, where)
                         : fmt::format("shmim-create {} SIZE{}", name, where);
}

std::string Tool::hint(const Error& error) const {
  const std::string plain_name = reference_ ? reference_->name : error.subject();
  const std::string name = shell_word(plain_name);
  const std::string where = dir_.empty() ? "" : " --dir " + shell_word(dir_);
  // Of the stream itself, and not of a file that it was to be made from.
  const auto is_of_stream = [&] {
    return error.subject().empty() || error.subject() == plain_name ||
           error.subject() == stream_path(search_path().shm, plain_name).string();
  };
  switch (error.problem()) {
    case Problem::not_found:
      return reference_ && error.subject() == plain_name ? hint_for_missing(where) : std::string();
    case Problem::exists:
      return name_ == "link"      ? std::string()
             : name_ == "connect" ? fmt::format("shmim-connect {}{}", name, where)
                                  : fmt::format("shmim-create {} SIZE --recreate{}", name, where);
    case Problem::mismatch:
      return identity_of(stream_path(search_path().shm, plain_name))
                 ? fmt::format("shmim-info {}{}", name, where)
                 : std::string();
    case Problem::too_short:
    case Problem::no_version:
    case Problem::wrong_size:
    case Problem::bad_header:
    case Problem::dangling_link:
      return is_of_stream() ? fmt::format("shmim-rm {}--force {}{}",
                                          name_ == "rm" ? "" : "--dry-run ", name, where)
                            : std::string();
    case Problem::no_space:
      return fmt::format("df -h {}", shell_word(search_path().shm.string()));
    case Problem::no_directory:
      return missing_directory(error.subject());
    case Problem::unfinished:
      return fmt::format("shmim-post {} --data FILE{}", name, where);
    case Problem::no_permission:
    case Problem::not_ours_to_write:
      return reference_ && is_of_stream()
                 ? fmt::format("ls -l {}",
                               shell_word(stream_path(search_path().shm, plain_name).string()))
                 : std::string();
    default:
      return {};
  }
}

Exit Tool::report(const Error& error) const {
  std::string message = error.what();
  if (reference_ && error.subject().empty()) {
    message = fmt::format("{}: {}", reference_->name, message);
  }
  if (error.problem() == Problem::usage) {
    return report_usage(name_, message);
  }
  print_error(name_, message);
  try {
    if (const std::string what = hint(error); !what.empty()) {
      write_stderr(fmt::format("try: {}", printable(what)));
    }
  } catch (const Error&) {
    // What would help cannot be found out; the message stands alone.
  }
  return exit_of(error.problem());
}

}  // namespace shmim::tools
