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
    options.texts("--bind", "ENDPOINT", endpoints_,
                  "listen at tcp://ADDRESS:PORT, * for all addresses, or ipc://PATH; may be "
                  "repeated (default: tcp://127.0.0.1:5555)");
    options.positive("--rate", "HZ", options_.rate,
                     "frames per second, at most, of each stream to each receiver");
    options.text("--buffer", "BYTES", buffer_,
                 "memory for frames that receivers of every frame have not taken yet, of each "
                 "stream (default: 256MiB)");
    security_.declare(options);
    options.flag("--announce", announces_,
                 "tell the local network, by avahi, where streams are sent: see shmim-receive "
                 "--discover");
    options.flag("--keygen", keygen_, "make keys in FOLDER, print the public one, and end");
    options.json("print one JSON object per event");
    options.ready_fd();
  }

  Exit run(const Context& context) override {
    if (refs_.empty() != keygen_) {
      throw UsageError(keygen_ ? "--keygen is in the place of REF" : "REF is required");
    }
    if (keygen_) {
      write_stdout(security_.keys().make().public_key + "\n");
      return Exit::done;
    }
    if (endpoints_.empty()) {
      endpoints_.emplace_back("tcp://127.0.0.1:5555");
    }
    for (const std::string& endpoint : endpoints_) {
      security_.require_for(endpoint,
                            fmt::format("shmim-send {} --bind", shell_word(refs_.front())));
    }
    std::vector<Reference> streams;
    for (const std::string& text : refs_) {
      streams.push_back(context.reference(text));
    }
    if (security_.uses_keys()) {
      options_.keys = security_.own_keys();
      options_.receivers = security_.keys().receivers();
    }
    if (!buffer_.empty()) {
      options_.buffer = bytes_of("--buffer", buffer_);
    }
    options_.cancelled = interrupted;
    options_.tell = teller(context);
    Sender sender(streams, context.search_path(), options_);
    for (std::string& endpoint : endpoints_) {
      endpoint = sender.bind(endpoint);
    }
    std::optional<Announcement> announcement;
    if (announces_) {
      announcement.emplace(context, endpoints_, streams, security_.uses_keys());
    }
    context.readiness().say();
    sender.run();
    throw_if_interrupted();
    return Exit::done;
  }

 private:
  std::vector<std::string> refs_;
  std::vector<std::string> endpoints_;
  std::string buffer_;
  bool announces_ = false;
  bool keygen_ = false;
  SenderOptions options_;
  Security security_;
};

const Registration send_registration("send", "send streams to other hosts", {"SE", true},
                                     {.missing = "shmim-ls", .similar = "shmim-send {}"},
                                     make<Send>,
                                     {"shmim-send cam dm --bind 'tcp://*:5555' --curve",
                                      "shmim-send 'cam[0:63,0:63]' --rate 10"});

}  // namespace
}  // namespace shmim::tools
