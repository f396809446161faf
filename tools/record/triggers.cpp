#include "record/triggers.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "common/app/options.hpp"
#include "common/io/exit.hpp"

namespace shmim::tools {
namespace {

/// Those that a tool has no other meaning for, and that nobody sends by chance.
constexpr std::array trigger_signals{SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

std::optional<int> signal_of(std::string_view name) {
  if (name.starts_with("SIG")) {
    name.remove_prefix(3);
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) {
      return signal;
    }
  }
  return std::nullopt;
}

void require_free(int signal) {
  if (std::ranges::find(trigger_signals, signal) == trigger_signals.end()) {
    const bool is_beyond_us = signal == SIGKILL || signal == SIGSTOP;
    throw UsageError(
        fmt::format("{}: take HUP, QUIT, USR1 or USR2",
                    is_beyond_us ? "no program can catch it" : "it has a meaning of its own"));
  }
}

/// False where no trigger is written so. Throws Error and UsageError of what stands behind the
/// colon.
bool add(Triggers& triggers, const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string kind = text.substr(0, colon);
  const std::string value = text.substr(std::min(colon + 1, text.size()));
  if (text == "lost") {
    triggers.lost = true;
  } else if (kind == "keyword") {
    triggers.keywords.push_back({text, parse_keyword_condition(value)});
  } else if (kind == "stopped") {
    triggers.stopped.push_back({text, parse_duration(value)});
  } else if (kind == "budget") {
    triggers.budgets.push_back({text, parse_duration(value)});
  } else if (kind == "sem") {
    triggers.semaphores.push_back(
        static_cast<unsigned>(parse_whole(value, {0, std::numeric_limits<unsigned>::max()})));
  } else if (const auto signal = signal_of(text)) {
    require_free(*signal);
    triggers.signals.push_back(*signal);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string signal_name(int signal) { return fmt::format("SIG{}", ::sigabbrev_np(signal)); }

Triggers parse_triggers(const std::vector<std::string>& texts) {
  Triggers triggers;
  for (const std::string& text : texts) {
    bool is_known = false;
    try {
      is_known = add(triggers, text);
    } catch (const std::runtime_error& error) {  // an Error, or a UsageError
      throw UsageError(fmt::format("--on: '{}': {}", text, error.what()));
    }
    if (!is_known) {
      throw UsageError(
          fmt::format("--on: '{}' is not like USR1, lost, keyword:LOOP=open, stopped:2s, "
                      "budget:2ms or sem:3",
                      text));
    }
  }
  return triggers;
}

}  // namespace shmim::tools
