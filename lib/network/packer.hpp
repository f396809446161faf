#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "network/codec_choice.hpp"
#include "network/stock.hpp"
#include "network/subscription.hpp"
#include "network/trunk.hpp"

namespace shmim::network {

/// Packs the frames of one stream for those of its receivers that want fewer bytes, and finds out
/// which codec pays for whom.
class Packer {
 public:
  /// `name` is the stream's, for who is told. With the lock `serve` is called when a frame is
  /// packed. All is to outlive it.
  Packer(Trunk& trunk, const std::string& name, Stock& stock, Subscriptions& subscriptions,
         std::function<void()> serve);

  /// Packs until `is_over` says so, which is asked with the lock.
  void run(const std::function<bool()>& is_over);
  /// There is a frame, or a receiver with room for one; or it is over.
  void wake() noexcept { packable_.notify_all(); }

 private:
  [[nodiscard]] bool is_to_measure() const;
  void measure(std::unique_lock<std::mutex>& lock);
  void choose(Subscription& subscription, double bytes) const;
  [[nodiscard]] std::pair<std::shared_ptr<const Packet>, Compression> next();
  void pack(const std::shared_ptr<const Packet>& packet, Compression codec,
            std::unique_lock<std::mutex>& lock);
  Trunk& trunk_;
  const std::string& name_;
  Stock& stock_;
  Subscriptions& subscriptions_;
  std::function<void()> serve_;
  std::condition_variable packable_;
  SubscriptionKey packed_for_;  ///< last
  Yields yields_;
  std::chrono::steady_clock::time_point measured_;  ///< the yields
  std::uint64_t measured_by_ = 0;                   ///< number of the packet
};

}  // namespace shmim::network
