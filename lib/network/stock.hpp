#pragma once

#include <array>
#include <memory>

#include "network/backlog.hpp"
#include "network/packet.hpp"
#include "network/subscription.hpp"

namespace shmim::network {

/// The frames of a stream that are there to be sent: the newest, as it is and by each codec, and
/// the backlog of those that want every one.
class Stock {
 public:
  /// Null if there is none.
  [[nodiscard]] const std::shared_ptr<const Packet>& newest() const noexcept { return newest_; }
  [[nodiscard]] const Backlog& backlog() const noexcept { return backlog_; }
  [[nodiscard]] Backlog& backlog() noexcept { return backlog_; }

  /// Takes a frame, which is kept in the backlog too where any receiver wants every one.
  void put(std::shared_ptr<const Packet> packet, bool is_for_backlog);
  /// Takes the pixels of a frame by a codec.
  void put_packed(const std::shared_ptr<const Packet>& packet, Compression codec,
                  zmq::message_t pixels);
  void forget_newest() noexcept;
  /// The newest is in the backlog of whoever begins to want every one.
  void begin_backlog();

  /// The frame that is that one's turn, packed or not; null if there is none.
  [[nodiscard]] std::shared_ptr<const Packet> next_of(const Subscription& subscription) const;
  /// The frame that can be sent to that one, of that format where it wants the newest; null if
  /// there is none.
  [[nodiscard]] std::shared_ptr<const Packet> ready_for(
      const Subscription& subscription, const std::shared_ptr<const Format>& format) const;

 private:
  std::shared_ptr<const Packet> newest_;
  std::array<std::shared_ptr<const Packet>, codecs.size()> newest_packed_;
  Backlog backlog_;
};

}  // namespace shmim::network
