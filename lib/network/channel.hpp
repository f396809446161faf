#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "network/packer.hpp"
#include "network/source.hpp"
#include "network/stock.hpp"
#include "network/subscription.hpp"
#include "network/trunk.hpp"
#include "shmim/error.hpp"

namespace shmim::network {

/// A stream, the threads that take its frames and pack them, and who follows it.
class Channel {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// One that was opened for somebody ends when nobody follows it any more, and tells him why it
  /// cannot be read; of any other that ends the trunk.
  Channel(Trunk& trunk, std::unique_ptr<Source> source, bool is_on_demand);
  /// Waits for its threads, without the lock: they are to have been told.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel(Channel&&) = delete;
  Channel& operator=(const Channel&) = delete;
  Channel& operator=(Channel&&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return source_->name(); }
  [[nodiscard]] const FrameParts& parts() const noexcept { return source_->parts(); }
  [[nodiscard]] bool is_on_demand() const noexcept { return is_on_demand_; }
  /// Nobody wants it any more, or it cannot be read.
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }

  void begin();

  // ---- With the lock.

  void end();
  /// Takes what a receiver wants of it, unless he is new and is not to be.
  void take(const std::string& receiver, const Follow& follow, bool may_be_new);
  /// Sends to every receiver what there is room for.
  void serve();
  void forget_silent();
  [[nodiscard]] std::size_t receivers() const noexcept { return subscriptions_.size(); }
  /// True once nobody has followed one that was opened for somebody for a while.
  [[nodiscard]] bool is_unwanted(Time now);
  /// When a receiver at a rate is to have its next frame; `otherwise`, where that is sooner.
  [[nodiscard]] Time next_due(Time now, Time otherwise) const;

 private:
  template <class Job>
  std::thread start(Job job);
  void follow();
  Arrival take_frame(FrameOrder order, Deadline deadline, Packet& packet);
  [[nodiscard]] std::optional<FrameOrder> wait_for_demand();
  void offer(std::shared_ptr<const Packet> packet);
  void await_return();
  void adopt();
  void give_up(const Error& error);
  bool serve(const SubscriptionKey& key, Subscription& subscription);
  bool announce(const SubscriptionKey& key, Subscription& subscription,
                const std::shared_ptr<const Format>& format, std::uint64_t cnt0);
  bool send_frame(const SubscriptionKey& key, Subscription& subscription, const Packet& packet);
  void trim();
  void drop_oldest();

  Trunk& trunk_;
  std::unique_ptr<Source> source_;  ///< of the thread
  const bool is_on_demand_;
  std::atomic<bool> is_over_ = false;
  Time last_wanted_ = std::chrono::steady_clock::now();
  std::condition_variable wanted_;
  std::optional<Stream> stream_;          ///< a handle of its own, for its cnt0
  std::shared_ptr<const Format> format_;  ///< null while the stream is gone
  Stock stock_;
  Subscriptions subscriptions_;
  Packer packer_;
  std::thread thread_;
  std::thread of_packer_;  ///< once any receiver wants fewer bytes
};

}  // namespace shmim::network
