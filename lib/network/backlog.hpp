#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "network/packet.hpp"

namespace shmim::network {

/// Frames that wait for receivers of every one, oldest first.
class Backlog {
 public:
  [[nodiscard]] bool empty() const noexcept { return packets_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return packets_.size(); }
  /// Of their pixels.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  /// Its number is greater than those of all that are there.
  void push(std::shared_ptr<const Packet> packet);
  /// The oldest of a greater number; null if there is none. Takes no longer for being far behind.
  [[nodiscard]] std::shared_ptr<const Packet> after(std::uint64_t number) const;
  /// True if none is of a greater number.
  [[nodiscard]] bool ends_with(std::uint64_t number) const noexcept;
  /// Drops all up to that number.
  void drop_up_to(std::uint64_t number);
  /// Drops the oldest, and gives it.
  std::shared_ptr<const Packet> drop_oldest();
  /// A frame has got a form more; it may have been dropped meanwhile.
  void note_form(const Packet& packet, std::uint64_t bytes);

 private:
  std::deque<std::shared_ptr<const Packet>> packets_;
  std::uint64_t bytes_ = 0;
};

inline void Backlog::push(std::shared_ptr<const Packet> packet) {
  bytes_ += packet->bytes();
  packets_.push_back(std::move(packet));
}

inline std::shared_ptr<const Packet> Backlog::after(std::uint64_t number) const {
  const auto next = std::ranges::upper_bound(packets_, number, {},
                                             [](const auto& packet) { return packet->number; });
  return next == packets_.end() ? nullptr : *next;
}

inline bool Backlog::ends_with(std::uint64_t number) const noexcept {
  return packets_.empty() || packets_.back()->number <= number;
}

inline void Backlog::drop_up_to(std::uint64_t number) {
  while (!packets_.empty() && packets_.front()->number <= number) {
    drop_oldest();
  }
}

inline std::shared_ptr<const Packet> Backlog::drop_oldest() {
  std::shared_ptr<const Packet> oldest = std::move(packets_.front());
  packets_.pop_front();
  bytes_ -= oldest->bytes();
  return oldest;
}

inline void Backlog::note_form(const Packet& packet, std::uint64_t bytes) {
  const bool is_kept = !packets_.empty() && packets_.front()->number <= packet.number &&
                       packets_.back()->number >= packet.number;
  bytes_ += is_kept ? bytes : 0;
}

}  // namespace shmim::network
