#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/graph.hpp"
#include "shmim/keywords.hpp"

namespace shmim {

// What tells of a stream that it was received from another host: keywords, since a trace has no
// room for the name of a host, and PIDs and inodes mean nothing on another one.

/// A string, the name of the host; the comment is the endpoint, a slash, and the stream there.
inline constexpr std::string_view received_from = "RECVFROM";
/// A string: `up`, or `down` while no frames can come; then the comment has since when.
inline constexpr std::string_view received_link = "RECVLINK";
/// Seconds from the writing of a frame there to its arrival here, by the two clocks.
inline constexpr std::string_view received_delay = "RECVDELAY";
/// Seconds that the clock there is ahead, as estimated.
inline constexpr std::string_view received_clock = "RECVCLOCK";

/// Where a stream was received from.
struct Received {
  std::string host;
  std::string origin;  ///< `tcp://camhost:5555/cam`
  bool is_up = false;  ///< frames can come
  std::optional<std::chrono::nanoseconds> delay;
  std::optional<std::chrono::nanoseconds> clock_ahead;

  /// `camhost:cam`
  [[nodiscard]] SHMIM_EXPORT std::string name() const;
};

/// What the keywords of a stream say of that; nullopt if it was not received.
[[nodiscard]] SHMIM_EXPORT std::optional<Received> received_of(std::span<const Keyword> keywords);

/// Says of the oldest of these hops what a trace has no room for: that its frame was received, from
/// where, and its latency from there on. `keywords_of` gives the keywords of a stream; where it
/// throws an Error nothing is said.
SHMIM_EXPORT void tell_origin(
    std::span<Hop> hops,
    const std::function<std::vector<Keyword>(const std::string& stream)>& keywords_of);

}  // namespace shmim
