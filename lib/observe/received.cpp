#include "shmim/received.hpp"

#include <algorithm>

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

}  // namespace shmim
