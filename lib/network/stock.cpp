#include "network/stock.hpp"

#include <utility>

namespace shmim::network {

void Stock::put(std::shared_ptr<const Packet> packet, bool is_for_backlog) {
  newest_ = packet;
  if (is_for_backlog) {
    backlog_.push(std::move(packet));
  }
}

void Stock::put_packed(const std::shared_ptr<const Packet>& packet, Compression codec,
                       zmq::message_t pixels) {
  backlog_.note_form(*packet, pixels.size());
  packet->packed_by(codec) = std::move(pixels);
  auto& newest = newest_packed_.at(index_of(codec));
  if (newest == nullptr || newest->number < packet->number) {
    newest = packet;
  }
}

void Stock::forget_newest() noexcept {
  newest_ = nullptr;
  newest_packed_ = {};
}

void Stock::begin_backlog() {
  if (backlog_.empty() && newest_) {
    backlog_.push(newest_);
  }
}

std::shared_ptr<const Packet> Stock::next_of(const Subscription& subscription) const {
  return subscription.order == FrameOrder::latest ? newest_ : backlog_.after(subscription.taken);
}

std::shared_ptr<const Packet> Stock::ready_for(const Subscription& subscription,
                                               const std::shared_ptr<const Format>& format) const {
  std::shared_ptr<const Packet> next = next_of(subscription);
  if (subscription.order == FrameOrder::every) {
    return next && !subscription.awaits_packing(*next) ? next : nullptr;
  }
  if (next && subscription.awaits_packing(*next)) {
    next = newest_packed_.at(index_of(subscription.codec));
  }
  const bool is_new = next && next->number > subscription.taken && next->format == format;
  return is_new ? next : nullptr;
}

}  // namespace shmim::network
