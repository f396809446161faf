#include "network/channel.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace shmim::network {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds silent_for_good{5};
/// So long a stream that was opened for somebody stays open when he has gone.
constexpr std::chrono::seconds open_for_nobody{1};

}  // namespace

Channel::Channel(Trunk& trunk, std::unique_ptr<Source> source, bool is_on_demand)
    : trunk_(trunk),
      source_(std::move(source)),
      is_on_demand_(is_on_demand),
      packer_(trunk_, source_->name(), stock_, subscriptions_, [this] {
        serve();
        wanted_.notify_one();
      }) {
  adopt();
}

Channel::~Channel() {
  wanted_.notify_all();
  packer_.wake();
  for (std::thread* its : {&thread_, &of_packer_}) {
    if (its->joinable()) {
      its->join();
    }
  }
}

void Channel::begin() {
  thread_ = start([this] { follow(); });
}

/// A thread. If the stream was opened for somebody, he is told of its Error; any other ends all.
template <class Job>
std::thread Channel::start(Job job) {
  return std::thread([this, job = std::move(job)] {
    try {
      job();
    } catch (const Error& error) {
      const std::lock_guard lock(trunk_.mutex());
      if (is_on_demand_) {
        give_up(error);
        return;
      }
      trunk_.fail();
    } catch (...) {
      const std::lock_guard lock(trunk_.mutex());
      trunk_.fail();
    }
  });
}

// ---- In the thread of the stream.

void Channel::follow() {
  while (const std::optional<FrameOrder> order = wait_for_demand()) {
    constexpr std::chrono::milliseconds often{100};
    auto packet = std::make_shared<Packet>();
    switch (take_frame(*order, deadline_after(often), *packet)) {
      case Arrival::arrived:
        offer(std::move(packet));
        break;
      case Arrival::timed_out:
        break;
      case Arrival::interrupted:
        return;
      case Arrival::removed:
      case Arrival::recreated:
        await_return();
        break;
    }
  }
}

/// Where there is no whole frame to be had who waits for his first one is told, and others wait on.
Arrival Channel::take_frame(FrameOrder order, Deadline deadline, Packet& packet) {
  try {
    return source_->take(order, deadline, packet);
  } catch (const Error& error) {
    if (!is_on_demand_ ||
        (error.problem() != Problem::busy && error.problem() != Problem::unfinished)) {
      throw;
    }
    const std::lock_guard lock(trunk_.mutex());
    std::erase_if(subscriptions_, [&](const auto& entry) {
      const auto& [key, subscription] = entry;
      return subscription.sent == 0 &&
             trunk_.send(key.first, Failure{key.second, error.problem(), error.why()});
    });
    return Arrival::timed_out;
  }
}

/// In which order a frame is wanted next; nullopt at the end.
std::optional<FrameOrder> Channel::wait_for_demand() {
  std::unique_lock lock(trunk_.mutex());
  for (;;) {
    if (trunk_.has_ended() || is_over_) {
      return std::nullopt;
    }
    if (subscriptions_.empty()) {
      stock_.forget_newest();
      source_->restart();  // whoever comes next begins with what is there then
    }
    const auto now = steady_clock::now();
    const std::shared_ptr<const Packet>& newest = stock_.newest();
    bool is_wanted = false;
    auto wake = now + std::chrono::milliseconds{100};
    for (const auto& [key, subscription] : subscriptions_) {
      if (subscription.order == FrameOrder::every) {
        return FrameOrder::every;
      }
      const bool is_due = subscription.due <= now;
      is_wanted = is_wanted || (subscription.has_room(now) && is_due &&
                                (newest == nullptr || !subscription.awaits_packing(*newest)));
      wake = is_due ? wake : std::min(wake, subscription.due);
      wake = subscription.line.next() > now ? std::min(wake, subscription.line.next()) : wake;
    }
    if (is_wanted) {
      return FrameOrder::latest;
    }
    wanted_.wait_until(lock, wake);
  }
}

void Channel::offer(std::shared_ptr<const Packet> packet) {
  const std::lock_guard lock(trunk_.mutex());
  if (format_ != packet->format) {
    adopt();
  }
  const bool is_for_backlog = std::ranges::any_of(
      subscriptions_, [](const auto& entry) { return entry.second.order == FrameOrder::every; });
  stock_.put(std::move(packet), is_for_backlog);
  serve();
  while (stock_.backlog().size() > 1 && stock_.backlog().bytes() > trunk_.options().buffer) {
    drop_oldest();
  }
  packer_.wake();
  trunk_.take_messages();
}

void Channel::await_return() {
  // What is in its place already was never gone, for those who follow it.
  bool is_back = source_->reopen();
  if (!is_back) {
    const std::lock_guard lock(trunk_.mutex());
    format_ = nullptr;
    serve();
    trunk_.take_messages();
  }
  bool was_told = false;
  constexpr std::chrono::milliseconds often{20};
  while (!is_back && !trunk_.is_over() && !is_over_) {
    if (!std::exchange(was_told, true)) {
      const std::lock_guard lock(trunk_.mutex());
      trunk_.tell(NetworkEvent::Kind::removed, name(),
                  "was removed; it is sent on when it is back");
    }
    std::this_thread::sleep_for(often);
    is_back = source_->reopen();
  }
  const std::lock_guard lock(trunk_.mutex());
  if (!trunk_.has_ended() && !is_over_) {
    adopt();
    trunk_.tell(
        NetworkEvent::Kind::recreated, name(),
        fmt::format("is there again: {} {}", to_string(format_->type), to_string(format_->shape)));
    serve();
    trunk_.take_messages();
  }
}

void Channel::adopt() {
  stream_ = source_->stream();
  format_ = source_->format();
}

// ---- With the lock.

void Channel::end() {
  is_over_ = true;
  wanted_.notify_all();
}

/// It cannot be read any more.
void Channel::give_up(const Error& error) {
  for (const auto& [key, subscription] : subscriptions_) {
    trunk_.send(key.first, Failure{key.second, error.problem(), error.why()});
  }
  subscriptions_.clear();
  is_over_ = true;
}

void Channel::take(const std::string& receiver, const Follow& follow, bool may_be_new) {
  const SubscriptionKey key{receiver, follow.id};
  const bool is_new = !subscriptions_.contains(key);
  if (is_new && !may_be_new) {
    return;
  }
  Subscription& subscription = subscriptions_[key];
  if (is_new) {
    subscription.taken = stock_.newest() ? stock_.newest()->number - 1 : 0;
    if (follow.order == FrameOrder::every) {
      stock_.begin_backlog();
    }
    trunk_.tell(NetworkEvent::Kind::follows, name(), "a receiver follows");
  }
  subscription.take(follow, trunk_.options().rate);
  if (is_new) {
    subscription.session = trunk_.new_session();
  }
  if (subscription.compression != Compression::none && !of_packer_.joinable() &&
      !trunk_.has_ended()) {
    of_packer_ = start([this] { packer_.run([this] { return trunk_.has_ended() || is_over_; }); });
  }
  if (follow.asked != never) {
    trunk_.send(receiver, Alive{follow.asked, TaiClock::now()});
  }
  // What is newer than what we have is about to be taken by the thread of the stream.
  const bool has_newest = stock_.newest() && stock_.newest()->cnt0 == stream_->cnt0();
  const bool is_there = follow.order == FrameOrder::every || has_newest || !format_
                            ? serve(key, subscription)
                            : announce(key, subscription, format_, stream_->cnt0());
  if (!is_there) {
    subscriptions_.erase(key);
  }
  trim();
  wanted_.notify_one();
  packer_.wake();
}

void Channel::serve() {
  for (auto entry = subscriptions_.begin(); entry != subscriptions_.end();) {
    if (serve(entry->first, entry->second)) {
      ++entry;
    } else {
      trunk_.tell(NetworkEvent::Kind::leaves, name(), "a receiver has gone");
      entry = subscriptions_.erase(entry);
    }
  }
  trim();
}

/// Sends what there is room for; false where the receiver is gone.
bool Channel::serve(const SubscriptionKey& key, Subscription& subscription) {
  const bool wants_every = subscription.order == FrameOrder::every;
  while (subscription.is_due()) {
    const std::shared_ptr<const Packet> packet = stock_.ready_for(subscription, format_);
    if (!packet) {
      break;
    }
    if (!send_frame(key, subscription, *packet)) {
      return false;
    }
  }
  if (wants_every && !stock_.backlog().ends_with(subscription.taken)) {
    return true;
  }
  if (!format_) {
    return std::exchange(subscription.is_told_gone, true) ||
           trunk_.send(key.first, Gone{key.second});
  }
  return announce(key, subscription, format_, stream_->cnt0());
}

bool Channel::announce(const SubscriptionKey& key, Subscription& subscription,
                       const std::shared_ptr<const Format>& format, std::uint64_t cnt0) {
  if (subscription.announced == format) {
    return true;
  }
  if (!trunk_.send(key.first,
                   Announcement{key.second, subscription.session, trunk_.host(), *format, cnt0})) {
    return false;
  }
  subscription.announced = format;
  subscription.line.forget_delay();
  subscription.is_told_gone = false;
  return true;
}

bool Channel::send_frame(const SubscriptionKey& key, Subscription& subscription,
                         const Packet& packet) {
  if (!announce(key, subscription, packet.format, packet.cnt0)) {
    return false;
  }
  const bool is_packed = subscription.pixels && subscription.codec != Compression::none &&
                         packet.packed_by(subscription.codec) &&
                         !packet.packed_by(subscription.codec)->empty();
  zmq::message_t& form = is_packed ? *packet.packed_by(subscription.codec) : packet.pixels;
  const FrameFollows envelope{key.second, subscription.session, subscription.sent + 1,
                              is_packed ? subscription.codec : Compression::none};
  zmq::message_t head;
  zmq::message_t pixels;
  // The same memory: ZeroMQ counts who has it.
  head.copy(packet.head);
  if (subscription.pixels) {
    pixels.copy(form);
  }
  const std::uint64_t bytes = head.size() + pixels.size();
  if (!trunk_.send(key.first, envelope, &head, &pixels)) {
    return false;
  }
  subscription.note_sent(packet, bytes);
  return true;
}

/// Frees what every receiver of all frames has been sent.
void Channel::trim() {
  std::uint64_t all_have = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [key, subscription] : subscriptions_) {
    if (subscription.order == FrameOrder::every) {
      all_have = std::min(all_have, subscription.taken);
    }
  }
  stock_.backlog().drop_up_to(all_have);
}

void Channel::drop_oldest() {
  const std::shared_ptr<const Packet> dropped = stock_.backlog().drop_oldest();
  for (auto& [key, subscription] : subscriptions_) {
    if (subscription.order == FrameOrder::every && subscription.taken < dropped->number) {
      subscription.taken = dropped->number;
      trunk_.tell(NetworkEvent::Kind::lost, name(),
                  fmt::format("frame {}: a receiver was too slow for the buffer", dropped->cnt0),
                  1);
    }
  }
}

void Channel::forget_silent() {
  const auto long_ago = steady_clock::now() - silent_for_good;
  const auto gone = std::erase_if(subscriptions_,
                                  [&](const auto& entry) { return entry.second.heard < long_ago; });
  for (std::size_t i = 0; i < gone; ++i) {
    trunk_.tell(NetworkEvent::Kind::leaves, name(), "a receiver was not heard of for 5 s");
  }
}

bool Channel::is_unwanted(Time now) {
  last_wanted_ = subscriptions_.empty() ? last_wanted_ : now;
  return is_on_demand_ && (is_over_ || now - last_wanted_ > open_for_nobody);
}

Channel::Time Channel::next_due(Time now, Time otherwise) const {
  for (const auto& [key, subscription] : subscriptions_) {
    otherwise = subscription.due > now ? std::min(otherwise, subscription.due) : otherwise;
  }
  return otherwise;
}

}  // namespace shmim::network
