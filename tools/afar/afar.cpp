// afar TOOL QUIET ADDRESS: what a tool has that looks at the streams of another host. It speaks
// ZeroMQ, and answers at descriptor 3, until that is closed: by the tool, or by its end.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <list>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <shmim/network.hpp>
#include <unistd.h>

#include "afar/mirrors.hpp"
#include "common/app/messages.hpp"
#include "common/app/tunnel.hpp"
#include "common/io/exchange.hpp"

namespace shmim::tools::afar {
namespace {

using std::chrono::steady_clock;

constexpr int socket_of_tool = 3;

/// True once the tool has closed its end, or was ended.
bool has_tool_ended() noexcept {
  pollfd end{socket_of_tool, 0, 0};
  return ::poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0;
}

/// A shmim-serve of our own on the other host, by ssh: at a socket that nobody else can guess, nor
/// connect to.
std::string private_socket() {
  std::random_device random;
  std::string digits;
  for (int i = 0; i < 4; ++i) {
    digits += fmt::format("{:08x}", random());
  }
  return "/tmp/shmim-" + digits;
}

class Program {
 public:
  Program(const std::string& tool, bool quiet, std::string called)
      : messages_(tool, quiet), called_(std::move(called)) {}

  /// Until the tool has ended.
  void serve() {
    while (true) {
      constexpr int milliseconds = 100;
      pollfd question{socket_of_tool, POLLIN, 0};
      if (::poll(&question, 1, milliseconds) > 0) {
        const auto text = receive_text(socket_of_tool);
        if (!text) {
          return;
        }
        if (!send_text(socket_of_tool, answer(parted(*text)))) {
          return;
        }
      }
      keep_up();
      refresh_keywords();
    }
  }

  void clean_up() noexcept {
    is_over_ = true;
    folder_.remove();
    tunnel_.reset();
  }

 private:
  std::string answer(const std::vector<std::string>& words) {
    try {
      connect();
      const std::chrono::milliseconds longest{std::stoll(words.at(1))};
      return words.at(0) == "look" ? look(words, longest) : follow(words, longest);
    } catch (const Error& error) {
      return "E" + joined({std::to_string(static_cast<int>(error.problem())), error.subject(),
                           error.why()});
    }
  }

  /// Finds out where to, and with which keys. Throws Error.
  void connect() {
    if (!endpoint_.empty()) {
      return;
    }
    const std::string slashed = called_ + "/";
    const Address address = split_address(slashed).address.value();
    if (address.way == Address::Way::ssh) {
      const std::string socket = private_socket();
      std::string host = address.host;  // ssh takes no brackets
      std::erase_if(host, [](char bracket) { return bracket == '[' || bracket == ']'; });
      tunnel_.emplace(
          host, "ipc://" + socket,
          fmt::format("umask 077; exec shmim-serve --until-eof --bind ipc://{}", socket),
          address.port);
      endpoint_ = tunnel_->endpoint();
      return;
    }
    const std::string key = key_of(called_);
    if (!key.empty()) {
      connection_.keys = KeyFolder::of_user().own();
      connection_.sender = key;
    }
    endpoint_ = called_;
  }

  /// Of whom listens there; empty: in clear. Throws Error where neither is said.
  static std::string key_of(const std::string& endpoint) {
    try {
      return KeyFolder::of_user().sender(endpoint);
    } catch (const Error& error) {
      const bool is_unknown =
          error.problem() == Problem::not_found || error.problem() == Problem::no_directory;
      if (is_unknown && is_local_endpoint(endpoint)) {
        return {};
      }
      if (error.problem() == Problem::not_found) {
        throw Error(Problem::failed, endpoint,
                    fmt::format("its key is not known: {} is to have a line '{} KEY', or '{} "
                                "insecure' where nothing need be encrypted",
                                error.subject(), endpoint, endpoint));
      }
      throw;
    }
  }

  std::string look(const std::vector<std::string>& words, std::chrono::nanoseconds longest) {
    SightRequest request;
    request.rates = words.at(2) == "1";
    request.holders = words.at(3) == "1";
    request.surroundings = words.at(4) == "1";
    request.patterns.assign(words.begin() + 5, words.end());
    return "S" + looker().look(request, steady_clock::now() + longest);
  }

  Looker& looker() {
    if (!looker_) {
      LookerOptions options;
      options.keys = connection_.keys;
      options.sender = connection_.sender;
      options.called = called_;
      options.is_tunnel = tunnel_.has_value();
      options.cancelled = [this] {
        require_tunnel();
        return has_tool_ended();
      };
      looker_.emplace(endpoint_, options);
    }
    return *looker_;
  }

  std::string follow(const std::vector<std::string>& words, std::chrono::nanoseconds longest) {
    Wish wish;
    wish.order = words.at(2) == "every" ? FrameOrder::every : FrameOrder::latest;
    wish.pixels = words.at(3) == "1";
    wish.whole = words.at(4) == "1";
    wish.keywords = words.at(5) == "1";
    wish.awaits = words.at(6) == "1";
    wish.rate = parse_number<double>(words.at(7));
    wish.name = words.at(8);
    if (!words.at(9).empty()) {
      wish.slice = parse_slice(words.at(9));
    }
    mirrors_.remove_if([&](const Mirror& mirror) { return mirror.wish().name == wish.name; });
    ReceiverOptions options = connection_;
    options.called = called_;
    wish.is_by_tunnel = tunnel_.has_value();
    options.tell = [this](const NetworkEvent& event) {
      if (!is_over_) {
        messages_.note(event.subject, event.text);
      }
    };
    const bool awaits = wish.awaits;
    Mirror& mirror = mirrors_.emplace_back(endpoint_, std::move(wish), folder_.path(), options);
    const auto deadline = steady_clock::now() + longest;
    constexpr std::chrono::milliseconds often{50};
    try {
      while (!mirror.wait_for(often)) {
        require_tunnel();
        if (steady_clock::now() >= deadline || has_tool_ended()) {
          const bool was_connected = mirror.was_connected();
          if (awaits && was_connected) {
            mirrors_.pop_back();
            return "T";
          }
          throw Error(Problem::failed, was_connected ? words.at(8) : called_,
                      was_connected ? "no whole frame has come from there"
                                    : "cannot be reached: no shmim-serve answers there");
        }
      }
    } catch (const Error&) {
      mirrors_.pop_back();
      throw;
    }
    is_connected_ = true;
    return "R" + folder_.path().string();
  }

  /// Throws Error where ssh has ended before anything has come through it.
  void require_tunnel() {
    if (tunnel_ && !is_connected_ && tunnel_->has_ended()) {
      throw Error(Problem::failed, called_, "ssh, or shmim-serve there, has ended");
    }
    keep_up();
  }

  void keep_up() {
    if (tunnel_) {
      tunnel_->keep_up();
    }
  }

  void refresh_keywords() {
    for (Mirror& mirror : mirrors_) {
      if (!mirror.wish().keywords) {
        continue;
      }
      constexpr std::chrono::milliseconds longest{500};
      try {
        SightRequest request;
        request.patterns = {mirror.wish().name};
        const std::string bytes = looker().look(request, steady_clock::now() + longest);
        const Sight sight = decode_sight(std::as_bytes(std::span(bytes)));
        for (const Watched& watched : sight.streams) {
          if (watched.description.name == mirror.wish().name) {
            mirror.take(watched.description);
          }
        }
      } catch (const Error&) {
        // The mirror says that the connection is lost.
      }
    }
  }

  Messages messages_;
  std::string called_;
  std::string endpoint_;
  ReceiverOptions connection_;  ///< keys
  std::optional<Tunnel> tunnel_;
  bool is_connected_ = false;
  std::atomic<bool> is_over_ = false;  ///< nobody looks any more
  std::optional<Looker> looker_;
  Folder folder_;
  std::list<Mirror> mirrors_;
};

}  // namespace
}  // namespace shmim::tools::afar

int main(int argc, char** argv) {
  using namespace shmim::tools::afar;
  constexpr int words = 4;
  if (argc != words) {
    return EXIT_FAILURE;
  }
  // What else the tool has open is its own: others may wait for it to be closed.
  static_cast<void>(::close_range(socket_of_tool + 1, ~0U, 0));
  // The tool's end is ours, whatever a terminal sends to both.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    static_cast<void>(std::signal(signal, SIG_IGN));
  }
  Program program(argv[1], argv[2][0] == '1', argv[3]);
  try {
    program.serve();
  } catch (const std::exception& error) {
    shmim::tools::Messages(argv[1]).error(error.what());
  }
  // Threads may be waiting for what will not come any more: nothing is to be done but this.
  program.clean_up();
  std::_Exit(EXIT_SUCCESS);
}
