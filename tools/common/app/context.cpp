#include "common/app/context.hpp"

#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <shmim/fits.hpp>
#include <unistd.h>

#include "common/app/tool.hpp"
#include "common/io/descriptor.hpp"
#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

SearchPath search_path_of(const CommonOptions& options) {
  SearchPath search_path;
  search_path.shm = options.dir.empty() ? default_shm_directory() : require_directory(options.dir);
  if (!options.conf.empty()) {
    search_path.conf = require_directory(options.conf);
  }
  search_path.open_image = open_fits;
  return search_path;
}

}  // namespace

void Readiness::say() {
  if (!descriptor_) {
    return;
  }
  constexpr std::byte newline{'\n'};
  const int error_number = write_all(static_cast<int>(*descriptor_), std::span(&newline, 1));
  if (error_number != 0) {
    throw_if_interrupted();
    throw Error::system("--ready-fd", "cannot write to the descriptor", error_number);
  }
  descriptor_.reset();
}

Context::Context(const Registration& tool, const CommonOptions& options)
    : tool_(tool),
      options_(options),
      messages_(tool.name, options.quiet, options.verbose),
      search_path_(search_path_of(options)) {}

Reference Context::reference(const std::string& text) const { return reference(text, tool_.takes); }

Reference Context::reference(const std::string& text, const Takes& takes) const {
  return checked(parse_reference(text), takes);
}

Reference Context::pattern(const std::string& text) const {
  return checked(parse_pattern(text), tool_.takes);
}

std::vector<Reference> Context::streams_of(const Reference& pattern) const {
  if (pattern.address) {
    std::vector<Reference> found;
    for (const Watched& watched : afar(*pattern.address).look({{pattern.name}}).streams) {
      if (matches(pattern, watched.description.name, watched.description.type())) {
        found.push_back(pattern);
        found.back().name = watched.description.name;
      }
    }
    return found;
  }
  const std::filesystem::path& shm = search_path_.shm;
  std::vector<std::string> names = list_streams(shm, pattern.name);
  if (is_pattern(pattern.name) && pattern.type) {
    ProcessTable processes;
    std::erase_if(names, [&](const std::string& name) {
      return !matches(pattern, name, describe(stream_path(shm, name), processes).type());
    });
  }
  std::vector<Reference> streams(names.size(), pattern);
  for (std::size_t i = 0; i < names.size(); ++i) {
    streams[i].name = std::move(names[i]);
  }
  return streams;
}

Reference Context::checked(Reference reference, const Takes& takes) const {
  const auto require = [&](bool is_set, char letter) {
    if (!is_set || takes.modifiers.find(letter) != std::string_view::npos) {
      return;
    }
    std::string taken;
    for (const char modifier : takes.modifiers) {
      taken += fmt::format("{}@{}:", taken.empty() ? "" : " ", modifier);
    }
    throw Error(Problem::usage, reference.text,
                fmt::format("modifier {} has no meaning here; shmim-{} takes {}", letter,
                            tool_.name, taken));
  };
  if (reference.address && !takes.afar) {
    require_of_this_host(reference);
  }
  require(reference.location == Location::shared, 'S');
  require(reference.location == Location::local, 'L');
  require(reference.existence == Existence::must_exist, 'E');
  require(reference.existence == Existence::must_be_new, 'N');
  if (!reference.slice.empty() && !takes.slice) {
    throw Error(
        Problem::usage, reference.text,
        fmt::format("a slice has no meaning here; shmim-{} takes whole streams", tool_.name));
  }
  return reference;
}

Afar& Context::afar(const Address& address, bool is_silent) const {
  std::unique_ptr<Afar>& afar = afars_[to_string(address)];
  if (!afar) {
    afar = std::make_unique<Afar>(address, tool_.name, is_silent || quiet());
  }
  return *afar;
}

Description Context::describe_afar(const Reference& reference) const {
  Sight sight = afar(*reference.address).look({{literal(reference.name)}});
  if (sight.streams.size() != 1) {
    throw Error(Problem::not_found, reference.name,
                fmt::format("no such stream {}", place_of(reference)));
  }
  Description& description = sight.streams.front().description;
  if (description.unreadable) {
    throw Error(description.unreadable->problem, reference.name, description.unreadable->why);
  }
  require_type(reference.name, description.format, reference.type);
  return std::move(description);
}

std::string Context::place_of(const Reference& reference) const {
  return reference.address ? "at " + to_string(*reference.address)
                           : "in " + search_path_.shm.string();
}

Stream Context::open(const Reference& reference, Access access, const MirrorWish& wish) const {
  if (reference.address) {
    return afar(*reference.address).mirror(reference, wish, access);
  }
  Stream stream = open_existing(reference, search_path_, access);
  detail(reference.name,
         fmt::format("opened {}: {} {}", stream.path().string(), to_string(stream.format().type),
                     to_string(stream.format().shape)));
  return stream;
}

void Context::warn_unfit(std::string_view subject, const std::vector<std::string>& unfit) const {
  if (!unfit.empty()) {
    note(subject, fmt::format("keywords left out: {}", fmt::join(unfit, ", ")));
  }
}

void Context::warn_unterminated(std::string_view subject, std::span<const Keyword> keywords) const {
  std::vector<std::string> parts;
  for (const Keyword& keyword : keywords) {
    if (const auto part = unterminated_part(keyword)) {
      parts.push_back(fmt::format("{} ({})", keyword.name, *part));
    }
  }
  if (!parts.empty()) {
    note(subject, fmt::format("keywords that fill their place, one byte too many for programs of "
                              "the C library: {}",
                              fmt::join(parts, ", ")));
  }
}

void Context::note_previous_owner(const Connection& connection) const {
  if (connection.previous_owner && *connection.previous_owner != ::geteuid()) {
    const passwd* user = ::getpwuid(*connection.previous_owner);
    note(connection.stream->name(),
         fmt::format("replaced what belonged to user {}",
                     user == nullptr ? std::to_string(*connection.previous_owner)
                                     : std::string(user->pw_name)));
  }
}

Exit Context::about(const Reference& reference, const std::function<Exit()>& job) const {
  try {
    return job();
  } catch (const Error& error) {
    return report(reference, error);
  }
}

Exit Context::report(const Reference* about, const Error& error) const {
  if (interrupted()) {
    return Exit::failed;  // a call that the signal broke off fails, which is no news
  }
  std::string message = error.what();
  if (about != nullptr && error.subject().empty()) {
    message = fmt::format("{}: {}", about->name, message);
  }
  if (const auto* hinted = dynamic_cast<const HintedError*>(&error)) {
    messages_.error(message);
    Messages::hint(hinted->command() +
                   (options_.dir.empty() ? "" : " --dir " + shell_word(options_.dir)));
    return exit_of(error.problem());
  }
  if (error.problem() == Problem::usage) {
    return messages_.usage(message);
  }
  messages_.error(message);
  if (about != nullptr && about->address) {
    if (error.problem() == Problem::not_found) {
      Messages::hint("shmim-ls " + shell_word(to_string(*about->address) + "/"));
    }
    return exit_of(error.problem());
  }
  try {
    if (const std::string command = hint(tool_.advice, error, {about, search_path_, options_.dir});
        !command.empty()) {
      Messages::hint(command);
    }
  } catch (const Error&) {
    // What would help cannot be found out; the message stands alone.
  }
  return exit_of(error.problem());
}

Exit Context::report_of_file(const Error& error) const {
  if (interrupted()) {
    return Exit::failed;
  }
  if (error.problem() == Problem::usage) {
    return messages_.usage(error.what());
  }
  messages_.error(error.what());
  return exit_of(error.problem());
}

Exit Context::report_left_out(std::uint64_t count) const {
  if (count == 0) {
    return Exit::done;
  }
  messages_.error(fmt::format("{}: {} left out: no more files may be open, see ulimit -Hn",
                              search_path_.shm.string(), counted(count, "stream")));
  return Exit::failed;
}

Stream Context::open(const Reference& reference, const SearchResult& found, Access access) const {
  Stream stream = Stream::open(found.file, access);
  require_type(reference.name, stream.format(), reference.type);
  detail(reference.name,
         fmt::format("opened {}: {} {}", stream.path().string(), to_string(stream.format().type),
                     to_string(stream.format().shape)));
  return stream;
}

bool is_left_out(const Description& description) noexcept {
  return description.unreadable && description.unreadable->problem == Problem::no_descriptor;
}

void require_type(const std::string& subject, const Format& format,
                  const std::optional<DataType>& type) {
  Requirement requirement;
  requirement.type = type;
  if (const auto differing = differences(format, requirement); !differing.empty()) {
    throw Error(Problem::mismatch, subject, to_string(differing));
  }
}

}  // namespace shmim::tools
