// shmim-receive: streams from another host.

#include <atomic>

#include <shmim/network.hpp>

#include "common/app/network.hpp"
#include "common/app/patience.hpp"
#include "common/app/tool.hpp"
#include "common/app/tunnel.hpp"
#include "receive/discovery.hpp"

namespace shmim::tools {
namespace {

class Receive final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("ENDPOINT", endpoint_,
                       "where shmim-send listens: tcp://HOST:PORT or ipc://PATH");
    options.positional("NAME[=LOCAL]", names_,
                       "streams to receive, and what they are called here (default: all)");
    const Option& every = options.flag(
        "--every", every_, "every frame in order, and not the newest as fast as the line takes it");
    options.positive("--rate", "HZ", options_.rate, "frames per second, at most, of each stream")
        .excludes(every);
    options
        .text("--compress", "CODEC", compression_,
              "have frames compressed on their way, exactly: lz4, zstd, or auto as it pays")
        .one_of({"auto", "lz4", "zstd"});
    options.text("--ssh", "HOST", ssh_,
                 "through the system's ssh: ENDPOINT is as HOST (user@host) sees it");
    options.number("-n", "N", count_, "end after N frames, of all streams together", above_zero);
    patience_.declare(options);
    options.flag("--force", options_.replaces,
                 "put it in the place of a stream of this host that was not received");
    options.flag("--discover", discovers_,
                 "list what shmim-send --announce tells the local network, and end");
    security_.declare(options);
    options.json("print one JSON object per event, or per line of --discover");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    if (endpoint_.empty() != discovers_) {
      throw UsageError(discovers_ ? "--discover is in the place of ENDPOINT"
                                  : "ENDPOINT is required");
    }
    if (discovers_) {
      write_stdout(to_text(discover(), context.json()));
      return Exit::done;
    }
    security_.require_for(endpoint_, "shmim-receive");
    if (security_.uses_keys()) {
      options_.keys = security_.own_keys();
      options_.sender = security_.keys().sender(endpoint_);
      if (options_.sender.empty()) {
        throw UsageError(
            fmt::format("--curve: the line of {} in the file senders says insecure", endpoint_));
      }
    }
    options_.order = every_ ? FrameOrder::every : FrameOrder::latest;
    options_.compression = parse_compression(compression_).value_or(Compression::none);
    options_.tell = teller(context);
    std::uint64_t received = 0;
    std::string newest_name = endpoint_;
    std::optional<std::uint64_t> newest;
    patience_.begin();
    Deadline deadline = patience_.next();
    options_.published = [&](const std::string& name, std::uint64_t cnt0) {
      ++received;
      newest_name = name;
      newest = cnt0;
      deadline = patience_.next();
    };
    const auto has_all = [&] { return count_ && received >= *count_; };
    const auto is_late = [&] { return deadline && std::chrono::steady_clock::now() >= *deadline; };
    std::optional<Tunnel> tunnel;
    options_.cancelled = [&] {
      if (tunnel) {
        tunnel->keep_up();
      }
      return interrupted() || has_all() || is_late();
    };
    if (!ssh_.empty()) {
      options_.called = fmt::format("{} at {}", endpoint_, ssh_);
      tunnel.emplace(ssh_, endpoint_);
    }
    Receiver receiver(tunnel ? tunnel->endpoint() : endpoint_, wanted(), context.search_path(),
                      options_);
    context.readiness().say();
    try {
      receiver.run();
    } catch (const Error& error) {
      if (error.problem() != Problem::exists) {
        throw;
      }
      throw HintedError(error, fmt::format("shmim-receive {} {}=other", shell_word(endpoint_),
                                           shell_word(there(error.subject()))));
    }
    if (has_all()) {
      return Exit::done;
    }
    throw_if_interrupted();
    patience_.give_up(context, newest_name, newest, Patience::lacking(received, count_));
    return Exit::done;
  }

 private:
  /// What the stream is called there that is called so here.
  [[nodiscard]] std::string there(const std::string& local) const {
    for (const WantedStream& stream : wanted()) {
      if (stream.local == local) {
        return stream.remote;
      }
    }
    return local;
  }
  [[nodiscard]] std::vector<WantedStream> wanted() const {
    std::vector<WantedStream> streams;
    for (const std::string& text : names_) {
      const auto equals = text.find('=');
      const std::string remote = text.substr(0, equals);
      streams.push_back({remote, equals == std::string::npos ? remote : text.substr(equals + 1)});
      if (remote.empty() || streams.back().local.empty()) {
        throw UsageError(fmt::format("'{}' is not like cam or cam=local", text));
      }
    }
    return streams;
  }

  std::string endpoint_;
  std::vector<std::string> names_;
  bool discovers_ = false;
  bool every_ = false;
  std::string compression_;
  std::string ssh_;
  std::optional<std::uint64_t> count_;
  Patience patience_;
  ReceiverOptions options_;
  Security security_;
};

const Registration receive_registration(
    "receive", "receive streams of another host", {"", false}, {}, make<Receive>,
    {"shmim-receive tcp://camhost:5555 cam --curve",
     "shmim-receive tcp://camhost:5555 cam=cam2 --compress auto --curve"});

}  // namespace
}  // namespace shmim::tools
