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
    sending_.declare(options, "tcp://*:5556 with --curve or --insecure, else tcp://127.0.0.1:5556");
    options.flag("--until-eof", until_eof_, "end when standard input does");
    options.json("print one JSON object per event");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    std::vector<std::string> names;
    for (const std::string& text : globs_) {
      names.push_back(context.pattern(text).name);
    }
    if (names.empty()) {
      names.emplace_back("*");
    }
    const Security& security = sending_.security();
    std::vector<std::string>& endpoints = sending_.endpoints();
    std::vector<ListeningSocket> sockets = sockets_of_activation();
    if (endpoints.empty() && sockets.empty()) {
      endpoints.emplace_back(security.is_for_others() ? "tcp://*:5556" : "tcp://127.0.0.1:5556");
    }
    for (const std::string& endpoint : endpoints) {
      security.require_for(endpoint, "shmim-serve --bind");
    }
    for (const ListeningSocket& socket : sockets) {
      security.require_for(socket.endpoint, "shmim-serve --bind");
    }
    SenderOptions sender_options = sending_.options(context);
    sender_options.serves = std::move(names);
    sender_options.cancelled = [this] {
      return interrupted() || (until_eof_ && has_input_ended());
    };
    raise_file_limit();
    Sender sender({}, context.search_path(), sender_options);
    for (const std::string& endpoint : endpoints) {
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
  Sending sending_;
  bool until_eof_ = false;
};

const Registration serve_registration("serve", "let other hosts look at the streams of this one",
                                      {"SE"}, {}, make<Serve>,
                                      {"shmim-serve --curve",
                                       "shmim-serve 'cam*' --bind ipc:///run/user/1000/shmim"});

}  // namespace
}  // namespace shmim::tools
