#include "common/app/network.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/app/context.hpp"
#include "common/app/hints.hpp"
#include "common/app/options.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/stdout.hpp"
#include "common/print/network_event.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

void Security::declare(Options& options) {
  const Option& curve =
      options.flag("--curve", curve_, "encrypt, between hosts that know one another's public keys");
  options.text("--keys", "FOLDER", folder_, "where the keys are (default: ~/.config/shmim)");
  options
      .flag("--insecure", insecure_,
            "let whoever reaches the address read what is sent, or send it")
      .excludes(curve);
}

void Security::require_for(const std::string& endpoint, const std::string& command) const {
  if (!is_endpoint(endpoint)) {
    const auto error = [&endpoint] {
      return Error(Problem::usage, endpoint, "is no endpoint: tcp://HOST:PORT or ipc://PATH");
    };
    const std::string meant = "tcp://" + endpoint;
    if (endpoint.find('/') == std::string::npos && is_endpoint(meant)) {
      throw HintedError(error(), fmt::format("{} {}", command, shell_word(meant)));
    }
    throw error();
  }
  if (!curve_ && !insecure_ && !is_local_endpoint(endpoint)) {
    throw UsageError(fmt::format(
        "{}: other hosts can reach it: --curve encrypts, and --insecure says that it need not be",
        endpoint));
  }
}

KeyFolder Security::keys() const {
  return folder_.empty() ? KeyFolder::of_user() : KeyFolder(folder_);
}

KeyPair Security::own_keys() const {
  try {
    return keys().own();
  } catch (const Error& error) {
    if (error.problem() != Problem::not_found) {
      throw;
    }
    throw HintedError(error, fmt::format("shmim-send --keygen{}",
                                         folder_.empty() ? "" : " --keys " + shell_word(folder_)));
  }
}

std::function<void(const NetworkEvent&)> teller(const Context& context) {
  return [&context](const NetworkEvent& event) {
    if (context.json()) {
      write_stdout(to_json_line(event));
      return;
    }
    switch (event.kind) {
      case NetworkEvent::Kind::listening:
      case NetworkEvent::Kind::follows:
      case NetworkEvent::Kind::leaves:
      case NetworkEvent::Kind::compression:
        context.detail(event.subject, event.text);
        break;
      case NetworkEvent::Kind::lost:
        context.note(event.subject,
                     fmt::format("{} lost: {}", counted(event.count, "frame"), event.text));
        break;
      default:
        context.note(event.subject, event.text);
        break;
    }
  };
}

void Sending::declare(Options& options, const std::string& usual) {
  options.texts("--bind", "ENDPOINT", endpoints_,
                fmt::format("listen at tcp://ADDRESS:PORT, * for all addresses, or ipc://PATH; may "
                            "be repeated (default: {})",
                            usual));
  options.positive("--rate", "HZ", rate_,
                   "frames per second, at most, of each stream to each receiver");
  options.text("--buffer", "BYTES", buffer_,
               "memory for frames that receivers of every frame have not taken yet, of each "
               "stream (default: 256MiB)");
  security_.declare(options);
}

SenderOptions Sending::options(const Context& context) const {
  SenderOptions options;
  if (security_.uses_keys()) {
    options.keys = security_.own_keys();
    options.receivers = security_.keys().receivers();
  }
  if (!buffer_.empty()) {
    options.buffer = bytes_of("--buffer", buffer_);
  }
  options.rate = rate_;
  options.cancelled = interrupted;
  options.tell = teller(context);
  return options;
}

std::unique_ptr<Child> start_avahi(std::vector<std::string> words, Child::Reads reads) {
  try {
    return std::make_unique<Child>(std::move(words), reads);
  } catch (const Error& error) {
    if (error.problem() != Problem::not_found) {
      throw;
    }
    throw HintedError(error, "sudo apt install avahi-utils");
  }
}

}  // namespace shmim::tools
