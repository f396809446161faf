// shmim-serve: the streams of this host, for whoever looks at them from another.

#include <shmim/network.hpp>
#include <unistd.h>

#include "common/app/network.hpp"
#include "common/app/tool.hpp"
#include "common/io/pipe.hpp"
#include "serve/activation.hpp"

namespace shmim::tools {
namespace {

class Serve final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("GLOB", globs_,
                       "streams, or patterns with * ? [...] (default: all in the shm directory)");
    options.texts("--bind", "ENDPOINT", endpoints_,
                  "listen at tcp://ADDRESS:PORT, * for all addresses, or ipc://PATH; may be "
                  "repeated (default: tcp://*:5556 with --curve or --insecure, else "
                  "tcp://127.0.0.1:5556)");
    options.positive("--rate", "HZ", options_.rate,
                     "frames per second, at most, of each stream to each receiver");
    options.text("--buffer", "BYTES", buffer_,
                 "memory for frames that receivers of every frame have not taken yet, of each "
                 "stream (default: 256MiB)");
    security_.declare(options);
    options.flag("--until-eof", until_eof_, "end when standard input does");
    options.json("print one JSON object per event");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    options_.serves.emplace();
    for (const std::string& text : globs_) {
      options_.serves->push_back(context.pattern(text).name);
    }
    if (globs_.empty()) {
      options_.serves->emplace_back("*");
    }
    std::vector<ListeningSocket> sockets = sockets_of_activation();
    if (endpoints_.empty() && sockets.empty()) {
      endpoints_.emplace_back(security_.is_for_others() ? "tcp://*:5556" : "tcp://127.0.0.1:5556");
    }
    for (const std::string& endpoint : endpoints_) {
      security_.require_for(endpoint, "shmim-serve --bind");
    }
    for (const ListeningSocket& socket : sockets) {
      security_.require_for(socket.endpoint, "shmim-serve --bind");
    }
    if (security_.uses_keys()) {
      options_.keys = security_.own_keys();
      options_.receivers = security_.keys().receivers();
    }
    if (!buffer_.empty()) {
      options_.buffer = bytes_of("--buffer", buffer_);
    }
    options_.cancelled = [this] { return interrupted() || (until_eof_ && has_input_ended()); };
    options_.tell = teller(context);
    raise_file_limit();
    Sender sender({}, context.search_path(), options_);
    for (const std::string& endpoint : endpoints_) {
      sender.bind(endpoint);
    }
    for (ListeningSocket& socket : sockets) {
      sender.adopt(socket.descriptor.release(), socket.endpoint);
    }
    context.readiness().say();
    sender.run();
    throw_if_interrupted();
    return Exit::done;
  }

 private:
  std::vector<std::string> globs_;
  std::vector<std::string> endpoints_;
  std::string buffer_;
  bool until_eof_ = false;
  SenderOptions options_;
  Security security_;
};

const Registration serve_registration("serve", "let other hosts look at the streams of this one",
                                      {"SE"}, {}, make<Serve>,
                                      {"shmim-serve --curve",
                                       "shmim-serve 'cam*' --bind ipc:///run/user/1000/shmim"});

}  // namespace
}  // namespace shmim::tools
