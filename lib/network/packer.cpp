#include "network/packer.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "network/packing.hpp"

namespace shmim::network {
namespace {

using std::chrono::steady_clock;

/// Without the lock ZeroMQ may not be asked where they are, as long as it counts who has them.
std::span<const std::byte> pixels_of(const Packet& packet) {
  return {packet.pixels.data<std::byte>(), packet.pixels.size()};
}

}  // namespace

Packer::Packer(Trunk& trunk, const std::string& name, Stock& stock, Subscriptions& subscriptions,
               std::function<void()> serve)
    : trunk_(trunk),
      name_(name),
      stock_(stock),
      subscriptions_(subscriptions),
      serve_(std::move(serve)) {}

void Packer::run(const std::function<bool()>& is_over) {
  std::unique_lock lock(trunk_.mutex());
  while (!is_over()) {
    if (is_to_measure()) {
      measure(lock);
      continue;
    }
    const auto [packet, codec] = next();
    if (packet) {
      pack(packet, codec, lock);
      serve_();
      trunk_.take_messages();
    } else {
      constexpr std::chrono::milliseconds often{100};
      packable_.wait_for(lock, often);
    }
  }
}

bool Packer::is_to_measure() const {
  constexpr std::chrono::milliseconds between_measures{500};
  const std::shared_ptr<const Packet>& newest = stock_.newest();
  return newest && newest->number != measured_by_ &&
         steady_clock::now() >= measured_ + between_measures && can_pack(newest->pixels.size()) &&
         std::ranges::any_of(subscriptions_, [](const auto& entry) {
           return entry.second.compression == Compression::automatic && entry.second.line.rate();
         });
}

void Packer::measure(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const Packet> packet = stock_.newest();
  const auto pixels = pixels_of(*packet);
  lock.unlock();
  const Yields yields = measure_codecs(packet->type, pixels);
  lock.lock();
  yields_ = yields;
  measured_ = steady_clock::now();
  measured_by_ = packet->number;
  for (auto& [key, subscription] : subscriptions_) {
    if (subscription.compression == Compression::automatic) {
      choose(subscription, static_cast<double>(pixels.size()));
    }
  }
}

void Packer::choose(Subscription& subscription, double bytes) const {
  const std::optional<double> rate = subscription.line.rate();
  if (!rate) {
    return;
  }
  const Compression best = choose_codec(yields_, subscription.codec, bytes, *rate);
  if (std::exchange(subscription.codec, best) == best) {
    return;
  }
  subscription.line.forget_delay();
  const double mega = 1e-6;
  trunk_.tell(
      NetworkEvent::Kind::compression, name_,
      best == Compression::none
          ? fmt::format("sent as it is: the line takes {:.3g} MB/s", *rate * mega)
          : fmt::format("sent by {}: {:.1f} times smaller at {:.0f} MB/s, and the line takes "
                        "{:.3g} MB/s",
                        to_string(best), yields_.at(index_of(best)).times_smaller,
                        yields_.at(index_of(best)).bytes_per_second * mega, *rate * mega));
}

/// A frame that a receiver has room for, and is to have by that codec; null if there is none. By
/// turns, as one of them may want more than can be done.
std::pair<std::shared_ptr<const Packet>, Compression> Packer::next() {
  auto entry = subscriptions_.upper_bound(packed_for_);
  for (std::size_t left = subscriptions_.size(); left > 0; --left, ++entry) {
    if (entry == subscriptions_.end()) {
      entry = subscriptions_.begin();
    }
    const auto& [key, subscription] = *entry;
    if (!subscription.is_due()) {
      continue;
    }
    const std::shared_ptr<const Packet> packet = stock_.next_of(subscription);
    if (packet && subscription.awaits_packing(*packet)) {
      packed_for_ = key;
      return {packet, subscription.codec};
    }
  }
  return {};
}

void Packer::pack(const std::shared_ptr<const Packet>& packet, Compression codec,
                  std::unique_lock<std::mutex>& lock) {
  const auto pixels = pixels_of(*packet);
  lock.unlock();
  zmq::message_t packed(network::pack(codec, packet->type, pixels));
  lock.lock();
  stock_.put_packed(packet, codec, std::move(packed));
}

}  // namespace shmim::network
