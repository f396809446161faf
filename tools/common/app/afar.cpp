#include "common/app/afar.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/exchange.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/pointers.hpp"

namespace shmim::tools {
namespace {

std::filesystem::path afar_program() {
  std::filesystem::path path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / SHMIM_AFAR_PROGRAM;
  if (::access(path.c_str(), X_OK) != 0) {
    throw Error(Problem::failed, path.string(),
                "is not there, which looks at streams of other hosts");
  }
  return path;
}

std::string milliseconds_in(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

const char* word_of(bool is_so) noexcept { return is_so ? "1" : "0"; }

}  // namespace

Afar::Afar(Address address, const std::string& tool, bool quiet) : address_(std::move(address)) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error::system(name(), "cannot be looked at", errno);
  }
  socket_ = FileDescriptor(ends[0]);
  const FileDescriptor theirs(ends[1]);
  constexpr int descriptor = 3;
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Standard output is data, and whoever reads it waits for the last to close it.
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), descriptor);
  std::vector<std::string> words{afar_program().string(), tool, word_of(quiet), name()};
  const std::vector<char*> arguments = pointers_to(words);
  const int error_number =
      ::posix_spawn(&program_, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error_number != 0) {
    program_ = 0;
    throw Error::system(words.front(), "cannot be started", error_number);
  }
}

Afar::~Afar() {
  socket_ = FileDescriptor();
  if (program_ > 0) {
    ::waitpid(program_, nullptr, 0);  // its folder has gone then
  }
}

std::chrono::nanoseconds Afar::longest_wait() const noexcept {
  return address_.way == Address::Way::ssh ? patience_by_ssh : patience;
}

/// What stands behind the letter that begins the answer. Throws what went wrong.
std::string Afar::ask(const std::string& question) {
  std::optional<std::string> answer;
  if (send_text(socket_.get(), question)) {
    answer = receive_text(socket_.get());
  }
  throw_if_interrupted();
  if (!answer || answer->empty()) {
    throw Error(Problem::failed, name(), "the program that looks there for this one has ended");
  }
  const char kind = answer->front();
  answer->erase(0, 1);
  if (kind == 'T') {
    throw TimedOut{};
  }
  if (kind != 'E') {
    return *std::move(answer);
  }
  const std::vector<std::string> said = parted(*answer);
  const auto problem = static_cast<Problem>(parse_number<int>(said.at(0)).value_or(0));
  throw Error(
      problem, said.at(1),
      problem == Problem::not_found ? fmt::format("no such stream at {}", name()) : said.at(2));
}

Sight Afar::look(const SightRequest& request, std::chrono::nanoseconds longest) {
  std::vector<std::string> words{"look", milliseconds_in(longest), word_of(request.rates),
                                 word_of(request.holders), word_of(request.surroundings)};
  words.insert(words.end(), request.patterns.begin(), request.patterns.end());
  const std::string bytes = ask(joined(words));
  try {
    return decode_sight(std::as_bytes(std::span(bytes)));
  } catch (const Error& error) {
    throw Error(Problem::failed, name(), error.what());
  }
}

Sight Afar::look_at_one(const std::string& stream) {
  Sight sight = look({{literal(stream)}, false, true, true});
  if (sight.streams.size() != 1) {
    throw Error(Problem::not_found, stream, fmt::format("no such stream at {}", name()));
  }
  return sight;
}

Stream Afar::mirror(const Reference& reference, const MirrorWish& wish, Access access) {
  auto longest = longest_wait();
  if (wish.deadline) {
    const auto left = *wish.deadline - std::chrono::steady_clock::now();
    longest = wish.awaits ? left : std::min<std::chrono::nanoseconds>(longest, left);
  } else if (wish.awaits) {
    longest = std::chrono::hours{24 * 365};
  }
  const std::filesystem::path folder =
      ask(joined({"follow", milliseconds_in(std::max(longest, std::chrono::nanoseconds{0})),
                  wish.order == FrameOrder::every ? "every" : "latest", word_of(wish.pixels),
                  word_of(wish.whole), word_of(wish.keywords), word_of(wish.awaits),
                  wish.rate ? fmt::format("{}", *wish.rate) : "", reference.name,
                  wish.pixels && !reference.slice.empty() ? to_string(reference.slice) : ""}));
  Reference here = reference;
  here.address.reset();
  SearchPath where;
  where.shm = folder;
  return open_existing(here, where, access);
}

Selection selection_of(const Reference& reference, const Format& format, bool is_of_plane) {
  const Selection selection = selection_of(reference.slice, format, is_of_plane);
  return reference.address ? selection.averaged() : selection;
}

std::string literal(const std::string& name) {
  std::string pattern;
  for (const char character : name) {
    if (std::string_view("*?[\\").find(character) != std::string_view::npos) {
      pattern += '\\';
    }
    pattern += character;
  }
  return pattern;
}

}  // namespace shmim::tools
