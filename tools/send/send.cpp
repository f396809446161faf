// shmim-send: streams to other hosts.

#include <shmim/network.hpp>

#include "common/app/network.hpp"
#include "common/app/tool.hpp"
#include "send/announcement.hpp"

namespace shmim::tools {
namespace {

class Send final : public Tool {
 public:
  void declare(Options& options) override {
    options.positional("REF", refs_, "streams to send, with slices; takes @S: @E:");
    sending_.declare(options, "tcp://127.0.0.1:5555");
    options.flag("--announce", announces_,
                 "tell the local network, by avahi, where streams are sent: see shmim-receive "
                 "--discover");
    options.flag("--keygen", keygen_, "make keys in FOLDER, print the public one, and end");
    options.json("print one JSON object per event");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    const Security& security = sending_.security();
    if (refs_.empty() != keygen_) {
      throw UsageError(keygen_ ? "--keygen is in the place of REF" : "REF is required");
    }
    if (keygen_) {
      write_stdout(security.keys().make().public_key + "\n");
      return Exit::done;
    }
    std::vector<std::string>& endpoints = sending_.endpoints();
    if (endpoints.empty()) {
      endpoints.emplace_back("tcp://127.0.0.1:5555");
    }
    for (const std::string& endpoint : endpoints) {
      security.require_for(endpoint,
                           fmt::format("shmim-send {} --bind", shell_word(refs_.front())));
    }
    std::vector<Reference> streams;
    for (const std::string& text : refs_) {
      streams.push_back(context.reference(text));
    }
    Sender sender(streams, context.search_path(), sending_.options(context));
    for (std::string& endpoint : endpoints) {
      endpoint = sender.bind(endpoint);
    }
    std::optional<Announcement> announcement;
    if (announces_) {
      announcement.emplace(context, endpoints, streams, security.uses_keys());
    }
    context.readiness().say();
    sender.run();
    throw_if_interrupted();
    return Exit::done;
  }

 private:
  std::vector<std::string> refs_;
  Sending sending_;
  bool announces_ = false;
  bool keygen_ = false;
};

const Registration send_registration("send", "send streams to other hosts", {"SE", true},
                                     {.missing = "shmim-ls", .similar = "shmim-send {}"},
                                     make<Send>,
                                     {"shmim-send cam dm --bind 'tcp://*:5555' --curve",
                                      "shmim-send 'cam[0:63,0:63]' --rate 10"});

}  // namespace
}  // namespace shmim::tools
