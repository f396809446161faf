#include "shmim/received.hpp"

#include <algorithm>

#include "shmim/clock.hpp"
#include "shmim/error.hpp"

namespace shmim {
namespace {

template <class Value>
const Value* value_of(std::span<const Keyword> keywords, std::string_view name) {
  const auto found = std::ranges::find(keywords, name, &Keyword::name);
  return found == keywords.end() ? nullptr : std::get_if<Value>(&found->value);
}

std::optional<std::chrono::nanoseconds> time_of(std::span<const Keyword> keywords,
                                                std::string_view name) {
  constexpr double longest = 9e9;  // that nanoseconds hold
  const auto* seconds = value_of<double>(keywords, name);
  if (seconds == nullptr || !(*seconds > -longest && *seconds < longest)) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(*seconds));
}

}  // namespace

std::string Received::name() const { return host + ":" + origin.substr(origin.rfind('/') + 1); }

std::optional<Received> received_of(std::span<const Keyword> keywords) {
  const auto from = std::ranges::find(keywords, received_from, &Keyword::name);
  if (from == keywords.end()) {
    return std::nullopt;
  }
  const auto* host = std::get_if<std::string>(&from->value);
  if (host == nullptr) {
    return std::nullopt;
  }
  const auto* link = value_of<std::string>(keywords, received_link);
  return Received{*host, from->comment, link != nullptr && *link == "up",
                  time_of(keywords, received_delay), time_of(keywords, received_clock)};
}

void tell_origin(
    std::span<Hop> hops,
    const std::function<std::vector<Keyword>(const std::string& stream)>& keywords_of) {
  if (hops.empty() || hops.back().entry.trigger_inode != 0 ||
      hops.back().entry.mode != TriggerMode::cnt0) {
    return;
  }
  Hop& oldest = hops.back();
  try {
    const auto received = received_of(keywords_of(oldest.stream));
    if (received) {
      oldest.trigger = received->name();
    }
    if (received && received->delay && oldest.entry.written) {
      oldest.latency = *received->delay + elapsed(oldest.entry.triggered, *oldest.entry.written);
    }
  } catch (const Error&) {
    // It is gone by now, and so is what it said of itself.
  }
}

}  // namespace shmim
