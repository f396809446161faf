#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "network/line.hpp"
#include "network/message.hpp"
#include "network/packet.hpp"

namespace shmim::network {

/// Frames that a receiver may have at once, whatever it asks for: it is what a hostile one can
/// cost.
inline constexpr std::uint64_t most_on_the_way = 64;

/// A stream that a receiver follows: what he wants of it, how far he has got, and how far he may be
/// sent.
struct Subscription {
  using Time = std::chrono::steady_clock::time_point;

  FrameOrder order = FrameOrder::latest;
  bool pixels = true;
  std::uint64_t session = 0;
  std::uint64_t sent = 0;   ///< number of the last, in the session
  std::uint64_t limit = 0;  ///< up to which it may be sent now
  std::uint64_t taken = 0;  ///< number of the last packet that was sent, or is lost
  Compression compression = Compression::none;  ///< that was asked for
  Compression codec = Compression::none;        ///< the one of it now, never `automatic`
  Line line;
  std::shared_ptr<const Format> announced;
  bool is_told_gone = false;
  std::chrono::steady_clock::duration interval{0};
  Time due;
  Time heard;

  /// Takes what the receiver says; `most_often` is what the sender does at most, in frames per
  /// second.
  void take(const Follow& follow, std::optional<double> most_often);
  void note_sent(const Packet& packet, std::uint64_t bytes);

  /// As it says, and of the newest only as far as they do not get old on their way.
  [[nodiscard]] bool has_room(Time now) const noexcept {
    return sent < limit && (order == FrameOrder::every || line.has_room(now));
  }
  /// Whether a frame may be sent now.
  [[nodiscard]] bool is_due() const noexcept;
  /// Whether a frame is to be packed before it can be sent.
  [[nodiscard]] bool awaits_packing(const Packet& packet) const;
};

/// Which receiver's, and which of its.
using SubscriptionKey = std::pair<std::string, std::uint64_t>;
using Subscriptions = std::map<SubscriptionKey, Subscription>;

}  // namespace shmim::network
