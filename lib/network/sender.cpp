#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include "network/authority.hpp"
#include "network/line.hpp"
#include "network/message.hpp"
#include "network/observatory.hpp"
#include "network/packing.hpp"
#include "network/socket.hpp"
#include "network/source.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/text.hpp"

namespace shmim::network {
namespace {

using std::chrono::steady_clock;

/// What a receiver may have at once, whatever it asks for: it is what a hostile one can cost.
constexpr std::uint64_t most_on_the_way = 64;
constexpr std::size_t most_subscriptions = 1024;
constexpr std::size_t most_channels = 256;
/// Of one stream, whatever parts of its frames are wanted; a follower more watches cnt0.
constexpr std::ptrdiff_t most_semaphores = 2;
constexpr std::chrono::seconds silent_for_good{5};
/// So long a stream that was opened for somebody stays open when he has gone.
constexpr std::chrono::seconds open_for_nobody{1};

/// Those by which frames are packed, in the order of Packet::packed.
constexpr std::array codecs{Compression::lz4, Compression::zstd};
constexpr std::size_t index_of(Compression codec) { return codec == Compression::lz4 ? 0 : 1; }

}  // namespace

/// A stream that a receiver follows.
struct Subscription {
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
  steady_clock::duration interval{0};
  steady_clock::time_point due;
  steady_clock::time_point heard;

  /// As it says, and of the newest only as far as they do not get old on their way.
  [[nodiscard]] bool has_room(steady_clock::time_point now) const noexcept {
    return sent < limit && (order == FrameOrder::every || line.has_room(now));
  }
};

/// What a codec makes of the frames of a stream.
struct Yield {
  double times_smaller = 0;
  double bytes_per_second = 0;
};

/// Which receiver's, and which of its.
using SubscriptionKey = std::pair<std::string, std::uint64_t>;

/// A stream, its thread, and who follows it.
struct Channel {
  explicit Channel(std::unique_ptr<Source> from, bool opened_for_somebody = false)
      : source(std::move(from)), is_on_demand(opened_for_somebody) {}
  std::unique_ptr<Source> source;  ///< of the thread
  const bool is_on_demand;
  std::atomic<bool> is_over = false;  ///< nobody wants it any more, or it cannot be read
  steady_clock::time_point last_wanted = steady_clock::now();
  std::thread thread;
  std::condition_variable wanted;
  std::optional<Stream> stream;          ///< a handle of its own, for its cnt0
  std::shared_ptr<const Format> format;  ///< null while the stream is gone
  std::shared_ptr<const Packet> newest;
  std::deque<std::shared_ptr<const Packet>> backlog;  ///< for those that want every frame
  std::uint64_t backlog_bytes = 0;
  std::thread packer;  ///< once any receiver wants fewer bytes
  std::condition_variable packable;
  SubscriptionKey packed_for;  ///< last
  std::array<std::shared_ptr<const Packet>, codecs.size()> newest_packed;
  std::array<Yield, codecs.size()> yields;
  steady_clock::time_point measured;  ///< the yields
  std::uint64_t measured_by = 0;      ///< number of the packet
  std::map<SubscriptionKey, Subscription> subscriptions;

  Channel(const Channel&) = delete;
  Channel(Channel&&) = delete;
  Channel& operator=(const Channel&) = delete;
  Channel& operator=(Channel&&) = delete;
  /// Waits for its threads, which are to have been told.
  ~Channel() {
    wanted.notify_all();
    packable.notify_all();
    for (std::thread* its : {&thread, &packer}) {
      if (its->joinable()) {
        its->join();
      }
    }
  }
};

}  // namespace shmim::network

namespace shmim {

using namespace network;  // NOLINT(google-build-using-namespace): this is what it was made for

/// The socket is one for all, and used by any thread that has the lock: a stream's own, so that a
/// frame goes out without another thread having to wake up, or the one in run(), for what comes in.
/// ZeroMQ allows that, as a lock is the fence that it asks for. Its descriptor tells of what comes
/// in but once, to whoever used the socket next: therefore everybody who has sent looks for what
/// has come in before he lets the lock go.
class Sender::Outlet {
 public:
  Outlet(const std::vector<Reference>& streams, SearchPath search_path, SenderOptions options)
      : options_(std::move(options)),
        search_path_(std::move(search_path)),
        context_(1),
        socket_(context_, zmq::socket_type::router),
        monitor_(context_, socket_) {
    for (const Reference& stream : streams) {
      if (find(stream.name) != nullptr) {
        throw Error(Problem::usage, stream.name, "is there twice: receivers ask by name");
      }
      channels_.emplace_back(
          std::make_unique<Source>(stream, search_path_, [this] { return is_over(); }));
      adopt(channels_.back());
    }
    if (options_.serves) {
      observatory_.emplace(
          search_path_.shm, *options_.serves,
          [this](const std::string& receiver, std::uint64_t id, zmq::message_t sight) {
            const std::lock_guard lock(mutex_);
            send(receiver, encode(FromSender(Seen{id})), &sight);
            take_messages();
          },
          [this](const std::string& receiver, const Failure& failure) {
            const std::lock_guard lock(mutex_);
            send(receiver, encode(FromSender(failure)));
            take_messages();
          });
    }
    set_up(socket_);
    constexpr int longest_message = 64 << 10;
    socket_.set(zmq::sockopt::maxmsgsize, std::int64_t{longest_message});
    socket_.set(zmq::sockopt::router_mandatory, true);
    socket_.set(zmq::sockopt::sndhwm, 2 * static_cast<int>(most_on_the_way));
    if (options_.keys) {
      authority_.emplace(context_, options_.receivers,
                         [this](const std::string& address, const std::string& key) {
                           const std::lock_guard lock(mutex_);
                           tell(NetworkEvent::Kind::refused, address,
                                key.empty() ? "it comes without a key"
                                            : fmt::format("its key is not known: {}", key));
                         });
      socket_.set(zmq::sockopt::curve_server, true);
      socket_.set(zmq::sockopt::curve_secretkey, options_.keys->secret_key);
      socket_.set(zmq::sockopt::zap_domain, "shmim");
    }
    descriptor_ = socket_.get(zmq::sockopt::fd);
    of_monitor_ = monitor_.events().get(zmq::sockopt::fd);
    host_ = host_name();
  }
  ~Outlet() { end(); }
  Outlet(const Outlet&) = delete;
  Outlet(Outlet&&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  Outlet& operator=(Outlet&&) = delete;

  std::string bind(const std::string& endpoint) {
    require_endpoint(endpoint);
    try {
      socket_.set(zmq::sockopt::ipv6, !is_of_ipv4(endpoint));
      socket_.bind(endpoint);
    } catch (const zmq::error_t& error) {
      throw error_of(endpoint, error);
    }
    std::string bound = socket_.get(zmq::sockopt::last_endpoint);
    const std::lock_guard lock(mutex_);
    tell(NetworkEvent::Kind::listening, bound, "listening");
    return bound;
  }

  /// Listens at a socket that listens already, `tcp` or `ipc`. Ownership is taken.
  std::string adopt(int descriptor, const std::string& endpoint) {
    socket_.set(zmq::sockopt::use_fd, descriptor);
    std::string bound = bind(endpoint);
    socket_.set(zmq::sockopt::use_fd, -1);
    return bound;
  }

  void run() {
    for (Channel& channel : channels_) {
      begin(channel);
    }
    while (!is_over()) {
      const int milliseconds = wait_milliseconds();
      std::array<pollfd, 2> descriptors{{{descriptor_, POLLIN, 0}, {of_monitor_, POLLIN, 0}}};
      ::poll(descriptors.data(), descriptors.size(), milliseconds);
      std::unique_lock lock(mutex_);
      while (const auto news = monitor_.next()) {
        if (news->change == Monitor::Change::refused && !options_.keys) {
          tell(NetworkEvent::Kind::refused, news->endpoint, news->why);
        }
      }
      forget_silent();
      for (Channel& channel : channels_) {
        serve(channel);
      }
      take_messages();
      retire_unwanted();
      lock.unlock();
      retired_.clear();  // which waits for their threads, and those for the lock
    }
    end();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  /// A thread of a stream. If that was opened for somebody, he is told of its Error; any other ends
  /// run().
  template <class Job>
  std::thread start(Channel& channel, Job job) {
    return std::thread([this, &channel, job = std::move(job)] {
      try {
        job();
      } catch (const Error& error) {
        const std::lock_guard lock(mutex_);
        if (channel.is_on_demand) {
          give_up(channel, error);
          return;
        }
        fail();
      } catch (...) {
        const std::lock_guard lock(mutex_);
        fail();
      }
    });
  }

  void begin(Channel& channel) {
    channel.thread = start(channel, [this, &channel] { follow(channel); });
  }

  void fail() {
    failure_ = failure_ ? failure_ : std::current_exception();
    is_over_ = true;
  }

  // ---- In the thread of a stream.

  void follow(Channel& channel) {
    for (;;) {
      const std::optional<FrameOrder> order = wait_for_demand(channel);
      if (!order) {
        return;
      }
      constexpr std::chrono::milliseconds often{100};
      auto packet = std::make_shared<Packet>();
      switch (take(channel, *order, deadline_after(often), *packet)) {
        case Arrival::arrived:
          offer(channel, std::move(packet));
          break;
        case Arrival::timed_out:
          break;
        case Arrival::interrupted:
          return;
        case Arrival::removed:
        case Arrival::recreated:
          await_return(channel);
          break;
      }
    }
  }

  /// Where there is no whole frame to be had who waits for his first one is told, and others wait
  /// on.
  Arrival take(Channel& channel, FrameOrder order, Deadline deadline, Packet& packet) {
    try {
      return channel.source->take(order, deadline, packet);
    } catch (const Error& error) {
      if (!channel.is_on_demand ||
          (error.problem() != Problem::busy && error.problem() != Problem::unfinished)) {
        throw;
      }
      const std::lock_guard lock(mutex_);
      std::erase_if(channel.subscriptions, [&](const auto& entry) {
        const auto& [key, subscription] = entry;
        return subscription.sent == 0 &&
               send(key.first,
                    encode(FromSender(Failure{key.second, error.problem(), error.why()})));
      });
      return Arrival::timed_out;
    }
  }

  /// In which order a frame is wanted next; nullopt at the end.
  std::optional<FrameOrder> wait_for_demand(Channel& channel) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (is_over_ || channel.is_over) {
        return std::nullopt;
      }
      if (channel.subscriptions.empty()) {
        channel.newest = nullptr;
        channel.newest_packed = {};
        channel.source->restart();  // whoever comes next begins with what is there then
      }
      const auto now = steady_clock::now();
      bool is_wanted = false;
      auto wake = now + std::chrono::milliseconds{100};
      for (const auto& [key, subscription] : channel.subscriptions) {
        if (subscription.order == FrameOrder::every) {
          return FrameOrder::every;
        }
        const bool is_due = subscription.due <= now;
        is_wanted =
            is_wanted ||
            (subscription.has_room(now) && is_due &&
             (channel.newest == nullptr || !is_to_be_packed(*channel.newest, subscription)));
        wake = is_due ? wake : std::min(wake, subscription.due);
        wake = subscription.line.next() > now ? std::min(wake, subscription.line.next()) : wake;
      }
      if (is_wanted) {
        return FrameOrder::latest;
      }
      channel.wanted.wait_until(lock, wake);
    }
  }

  void offer(Channel& channel, std::shared_ptr<const Packet> packet) {
    const std::lock_guard lock(mutex_);
    channel.newest = packet;
    if (channel.format != packet->format) {
      adopt(channel);
    }
    const bool is_for_all = std::ranges::any_of(channel.subscriptions, [](const auto& entry) {
      return entry.second.order == FrameOrder::every;
    });
    if (is_for_all) {
      channel.backlog_bytes += packet->pixels.size();
      channel.backlog.push_back(std::move(packet));
    }
    serve(channel);
    while (channel.backlog.size() > 1 && channel.backlog_bytes > options_.buffer) {
      drop_oldest(channel);
    }
    channel.packable.notify_one();
    take_messages();
  }

  void await_return(Channel& channel) {
    // What is in its place already was never gone, for those who follow it.
    bool is_back = channel.source->reopen();
    if (!is_back) {
      const std::lock_guard lock(mutex_);
      channel.format = nullptr;
      serve(channel);
      take_messages();
    }
    bool was_told = false;
    constexpr std::chrono::milliseconds often{20};
    while (!is_back && !is_over() && !channel.is_over) {
      if (!std::exchange(was_told, true)) {
        const std::lock_guard lock(mutex_);
        tell(NetworkEvent::Kind::removed, channel.source->name(),
             "was removed; it is sent on when it is back");
      }
      std::this_thread::sleep_for(often);
      is_back = channel.source->reopen();
    }
    const std::lock_guard lock(mutex_);
    if (!is_over_ && !channel.is_over) {
      adopt(channel);
      tell(NetworkEvent::Kind::recreated, channel.source->name(),
           fmt::format("is there again: {} {}", to_string(channel.format->type),
                       to_string(channel.format->shape)));
      serve(channel);
      take_messages();
    }
  }

  static void adopt(Channel& channel) {
    channel.stream = channel.source->stream();
    channel.format = channel.source->format();
  }

  // ---- In the thread that packs the frames of a stream.

  void pack_frames(Channel& channel) {
    std::unique_lock lock(mutex_);
    while (!is_over_ && !channel.is_over) {
      constexpr std::chrono::milliseconds between_measures{500};
      if (channel.newest && channel.newest->number != channel.measured_by &&
          steady_clock::now() >= channel.measured + between_measures &&
          can_pack(channel.newest->pixels.size()) && chooses_any(channel)) {
        measure(channel, lock);
        continue;
      }
      const auto [packet, codec] = next_to_pack(channel);
      if (packet) {
        pack(channel, *packet, codec, lock);
        if (codec_newest(channel, codec) == nullptr ||
            codec_newest(channel, codec)->number < packet->number) {
          codec_newest(channel, codec) = packet;
        }
        serve(channel);
        take_messages();
        channel.wanted.notify_one();
      } else {
        constexpr std::chrono::milliseconds often{100};
        channel.packable.wait_for(lock, often);
      }
    }
  }

  /// A frame that a receiver has room for, and is to have by that codec; null if there is none. By
  /// turns, as one of them may want more than can be done.
  static std::pair<std::shared_ptr<const Packet>, Compression> next_to_pack(Channel& channel) {
    const auto begin = channel.subscriptions.upper_bound(channel.packed_for);
    std::size_t left = channel.subscriptions.size();
    for (auto entry = begin; left > 0; --left, ++entry) {
      if (entry == channel.subscriptions.end()) {
        entry = channel.subscriptions.begin();
      }
      const auto& [key, subscription] = *entry;
      if (!is_due(subscription)) {
        continue;
      }
      const auto packet = subscription.order == FrameOrder::latest
                              ? channel.newest
                              : next_in_backlog(channel, subscription);
      if (packet && is_to_be_packed(*packet, subscription)) {
        channel.packed_for = key;
        return {packet, subscription.codec};
      }
    }
    return {};
  }

  static std::shared_ptr<const Packet> next_in_backlog(const Channel& channel,
                                                       const Subscription& subscription) {
    const auto next = after(channel.backlog, subscription.taken);
    return next == channel.backlog.end() ? nullptr : *next;
  }

  static void pack(Channel& channel, const Packet& packet, Compression codec,
                   std::unique_lock<std::mutex>& lock) {
    const auto pixels = pixels_of(packet);
    lock.unlock();
    zmq::message_t message(network::pack(codec, packet.type, pixels));
    lock.lock();
    const bool is_kept = !channel.backlog.empty() &&
                         channel.backlog.front()->number <= packet.number &&
                         channel.backlog.back()->number >= packet.number;
    channel.backlog_bytes += is_kept ? message.size() : 0;
    packet.packed.at(index_of(codec)) = std::move(message);
  }

  /// Without the lock ZeroMQ may not be asked where they are, as long as it counts who has them.
  static std::span<const std::byte> pixels_of(const Packet& packet) {
    return {packet.pixels.data<std::byte>(), packet.pixels.size()};
  }

  static std::shared_ptr<const Packet>& codec_newest(Channel& channel, Compression codec) {
    return channel.newest_packed.at(index_of(codec));
  }

  static bool chooses_any(const Channel& channel) {
    return std::ranges::any_of(channel.subscriptions, [](const auto& entry) {
      return entry.second.compression == Compression::automatic && entry.second.line.rate();
    });
  }

  /// How small, and how fast, each codec makes a part of the newest frame; and what follows from
  /// it.
  void measure(Channel& channel, std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<const Packet> packet = channel.newest;
    const auto pixels = pixels_of(*packet);
    lock.unlock();
    constexpr std::size_t most = 256 << 10;
    const std::size_t size = std::min(pixels.size(), most);
    // From the middle, where most pictures have what they are of.
    const auto part = pixels.subspan((pixels.size() - size) / 2 / most * most, size);
    std::array<Yield, codecs.size()> yields;
    for (const Compression codec : codecs) {
      const auto begin = steady_clock::now();
      const std::size_t packed = network::pack(codec, packet->type, part).size();
      const std::chrono::duration<double> taken = steady_clock::now() - begin;
      const auto bytes = static_cast<double>(size);
      yields.at(index_of(codec)) = {packed == 0 ? 1 : bytes / static_cast<double>(packed),
                                    bytes / taken.count()};
    }
    lock.lock();
    channel.yields = yields;
    channel.measured = steady_clock::now();
    channel.measured_by = packet->number;
    for (auto& [key, subscription] : channel.subscriptions) {
      if (subscription.compression == Compression::automatic) {
        choose_codec(channel, subscription, static_cast<double>(pixels.size()));
      }
    }
  }

  /// The codec by which a frame is there soonest: what it takes to pack it, and to send what is
  /// left of it.
  void choose_codec(const Channel& channel, Subscription& subscription, double bytes) const {
    const std::optional<double> rate = subscription.line.rate();
    if (!rate) {
      return;
    }
    const auto seconds = [&](Compression codec) {
      if (codec == Compression::none) {
        return bytes / *rate;
      }
      const Yield& yield = channel.yields.at(index_of(codec));
      return bytes / yield.bytes_per_second + bytes / yield.times_smaller / *rate;
    };
    Compression best =
        std::ranges::min(std::array{Compression::none, codecs[0], codecs[1]}, {}, seconds);
    // All is measured with some error: it is not to go to and fro, nor to work in vain.
    constexpr double clearly = 0.85;
    constexpr double hardly = 0.95;
    const double now = seconds(subscription.codec);
    if (seconds(best) > clearly * now) {
      if (subscription.codec == Compression::none || now <= hardly * seconds(Compression::none)) {
        return;
      }
      best = Compression::none;
    }
    subscription.codec = best;
    subscription.line.forget_delay();
    const double mega = 1e-6;
    tell(
        NetworkEvent::Kind::compression, channel.source->name(),
        best == Compression::none
            ? fmt::format("sent as it is: the line takes {:.3g} MB/s", *rate * mega)
            : fmt::format("sent by {}: {:.1f} times smaller at {:.0f} MB/s, and the line takes "
                          "{:.3g} MB/s",
                          to_string(best), channel.yields.at(index_of(best)).times_smaller,
                          channel.yields.at(index_of(best)).bytes_per_second * mega, *rate * mega));
  }

  // ---- With the lock, in any thread.

  /// Whether a frame is to be packed before it can be sent to that one.
  static bool is_to_be_packed(const Packet& packet, const Subscription& subscription) {
    return subscription.codec != Compression::none && subscription.pixels &&
           packet.number > subscription.taken && can_pack(packet.pixels.size()) &&
           !packet.packed.at(index_of(subscription.codec));
  }

  static std::deque<std::shared_ptr<const Packet>>::const_iterator after(
      const std::deque<std::shared_ptr<const Packet>>& backlog, std::uint64_t number) {
    return std::ranges::upper_bound(backlog, number, {},
                                    [](const auto& packet) { return packet->number; });
  }

  static std::uint64_t kept_bytes(const Packet& packet) {
    std::uint64_t bytes = packet.pixels.size();
    for (const auto& packed : packet.packed) {
      bytes += packed ? packed->size() : 0;
    }
    return bytes;
  }

  /// The newest that can be sent to that one; null if there is none.
  static const Packet* newest_for(const Channel& channel, const Subscription& subscription) {
    const Packet* newest = channel.newest.get();
    if (newest != nullptr && is_to_be_packed(*newest, subscription)) {
      newest = channel.newest_packed.at(index_of(subscription.codec)).get();
    }
    return newest != nullptr && newest->number > subscription.taken &&
                   channel.format == newest->format
               ? newest
               : nullptr;
  }

  /// A stream that was opened for somebody cannot be read any more.
  void give_up(Channel& channel, const Error& error) {
    for (const auto& [key, subscription] : channel.subscriptions) {
      send(key.first, encode(FromSender(Failure{key.second, error.problem(), error.why()})));
    }
    channel.subscriptions.clear();
    channel.is_over = true;
  }

  void retire_unwanted() {
    const auto now = steady_clock::now();
    for (auto channel = channels_.begin(); channel != channels_.end();) {
      const auto next = std::next(channel);
      channel->last_wanted = channel->subscriptions.empty() ? channel->last_wanted : now;
      if (channel->is_on_demand &&
          (channel->is_over || now - channel->last_wanted > open_for_nobody)) {
        channel->is_over = true;
        channel->wanted.notify_all();
        retired_.splice(retired_.end(), channels_, channel);
      }
      channel = next;
    }
  }

  /// Frees what every receiver of all frames has been sent.
  static void trim(Channel& channel) {
    std::uint64_t all_have = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [key, subscription] : channel.subscriptions) {
      if (subscription.order == FrameOrder::every) {
        all_have = std::min(all_have, subscription.taken);
      }
    }
    while (!channel.backlog.empty() && channel.backlog.front()->number <= all_have) {
      channel.backlog_bytes -= kept_bytes(*channel.backlog.front());
      channel.backlog.pop_front();
    }
  }

  void drop_oldest(Channel& channel) {
    const std::shared_ptr<const Packet> dropped = channel.backlog.front();
    channel.backlog.pop_front();
    channel.backlog_bytes -= kept_bytes(*dropped);
    for (auto& [key, subscription] : channel.subscriptions) {
      if (subscription.order == FrameOrder::every && subscription.taken < dropped->number) {
        subscription.taken = dropped->number;
        tell(NetworkEvent::Kind::lost, channel.source->name(),
             fmt::format("frame {}: a receiver was too slow for the buffer", dropped->cnt0), 1);
      }
    }
  }

  void serve(Channel& channel) {
    for (auto entry = channel.subscriptions.begin(); entry != channel.subscriptions.end();) {
      if (serve(channel, entry->first, entry->second)) {
        ++entry;
      } else {
        tell(NetworkEvent::Kind::leaves, channel.source->name(), "a receiver has gone");
        entry = channel.subscriptions.erase(entry);
      }
    }
    trim(channel);
  }

  /// Sends what there is room for; false where the receiver is gone.
  bool serve(const Channel& channel, const SubscriptionKey& key, Subscription& subscription) {
    if (subscription.order == FrameOrder::every) {
      auto next = after(channel.backlog, subscription.taken);
      for (; next != channel.backlog.end() && is_due(subscription) &&
             !is_to_be_packed(**next, subscription);
           ++next) {
        if (!send_frame(key, subscription, **next)) {
          return false;
        }
      }
    } else if (const Packet* newest = newest_for(channel, subscription);
               newest != nullptr && is_due(subscription) &&
               !send_frame(key, subscription, *newest)) {
      return false;
    }
    const bool has_all_before = subscription.order == FrameOrder::latest ||
                                channel.backlog.empty() ||
                                channel.backlog.back()->number <= subscription.taken;
    if (!has_all_before) {
      return true;
    }
    if (!channel.format) {
      return std::exchange(subscription.is_told_gone, true) ||
             send(key.first, encode(FromSender(Gone{key.second})));
    }
    return announce(key, subscription, channel.format, channel.stream->cnt0());
  }

  [[nodiscard]] static bool is_due(const Subscription& subscription) {
    const auto now = steady_clock::now();
    return subscription.has_room(now) &&
           (subscription.interval.count() == 0 || subscription.due <= now);
  }

  bool announce(const SubscriptionKey& key, Subscription& subscription,
                const std::shared_ptr<const Format>& format, std::uint64_t cnt0) {
    if (subscription.announced == format) {
      return true;
    }
    Announcement announcement;
    announcement.id = key.second;
    announcement.session = subscription.session;
    announcement.host = host_;
    announcement.format = *format;
    announcement.cnt0 = cnt0;
    if (!send(key.first, encode(FromSender(announcement)))) {
      return false;
    }
    subscription.announced = format;
    subscription.line.forget_delay();
    subscription.is_told_gone = false;
    return true;
  }

  bool send_frame(const SubscriptionKey& key, Subscription& subscription, const Packet& packet) {
    if (!announce(key, subscription, packet.format, packet.cnt0)) {
      return false;
    }
    const bool is_packed = subscription.pixels && subscription.codec != Compression::none &&
                           packet.packed.at(index_of(subscription.codec)) &&
                           !packet.packed.at(index_of(subscription.codec))->empty();
    zmq::message_t& form =
        is_packed ? *packet.packed.at(index_of(subscription.codec)) : packet.pixels;
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
    if (!send(key.first, encode(FromSender(envelope)), &head, &pixels)) {
      return false;
    }
    ++subscription.sent;
    subscription.taken = packet.number;
    subscription.line.sent(subscription.sent, bytes, steady_clock::now());
    if (subscription.interval.count() > 0) {
      const auto now = steady_clock::now();
      // On its own grid, as long as it does not fall behind by more than an interval.
      const auto next = subscription.due + subscription.interval;
      subscription.due = next > now ? next : now + subscription.interval;
    }
    return true;
  }

  /// False where the receiver is gone, or takes nothing: then it is to ask again.
  bool send(const std::string& receiver, const std::string& message, zmq::message_t* head = nullptr,
            zmq::message_t* pixels = nullptr) {
    try {
      constexpr auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
      if (!socket_.send(zmq::buffer(receiver), more)) {
        return false;
      }
      socket_.send(zmq::buffer(message), head != nullptr ? more : zmq::send_flags::dontwait);
      if (head != nullptr) {
        socket_.send(*head, pixels != nullptr ? more : zmq::send_flags::dontwait);
      }
      if (pixels != nullptr) {
        socket_.send(*pixels, zmq::send_flags::dontwait);
      }
      return true;
    } catch (const zmq::error_t& error) {
      if (error.num() == EHOSTUNREACH) {
        return false;
      }
      throw;
    }
  }

  void take_messages() {
    for (;;) {
      zmq::message_t receiver;
      zmq::message_t body;
      if (!socket_.recv(receiver, zmq::recv_flags::dontwait)) {
        return;
      }
      bool is_one = receiver.more() && socket_.recv(body, zmq::recv_flags::dontwait).has_value();
      while (body.more()) {
        is_one = false;
        if (!socket_.recv(body, zmq::recv_flags::dontwait)) {
          break;
        }
      }
      const std::string key = receiver.to_string();
      try {
        if (!is_one) {
          throw Error(Problem::failed, "", "a message of another number of parts");
        }
        const FromReceiver message = decode_from_receiver({body.data<std::byte>(), body.size()});
        if (const auto* wanted = std::get_if<Follow>(&message)) {
          take(key, *wanted);
        } else if (const auto* look = std::get_if<Look>(&message)) {
          take(key, *look);
        } else {
          send(key, encode(FromSender(Streams{names(), {}})));
        }
      } catch (const Error& error) {
        if (std::exchange(has_told_bad_, true)) {
          continue;  // whoever floods us is to flood nobody's terminal
        }
        tell(NetworkEvent::Kind::bad_message, "", fmt::format("dropped {}", error.why()));
      }
    }
  }

  void take(const std::string& receiver, const Look& look) {
    if (observatory_) {
      observatory_->ask(receiver, look);
    } else {
      send(receiver, encode(FromSender(Failure{look.id, Problem::failed,
                                               "shmim-send is there, and no shmim-serve"})));
    }
  }

  /// Opens the stream for whoever asks; null where it cannot be, which he is told.
  Channel* open(const std::string& receiver, const Follow& follow) {
    const auto fail = [&](Problem problem, const std::string& why) -> Channel* {
      send(receiver, encode(FromSender(Failure{follow.id, problem, why})));
      return nullptr;
    };
    if (name_error(follow.name) || !observatory_->serves(follow.name)) {
      return fail(Problem::not_found, "no such stream there");
    }
    if (is_over_ || channels_.size() >= most_channels) {
      return fail(Problem::failed, "too many streams are followed there already");
    }
    Reference reference;
    reference.location = Location::shared;
    reference.name = reference.text = follow.name;
    try {
      channels_.emplace_back(std::make_unique<Source>(
                                 reference, search_path_, [this] { return is_over(); },
                                 follow.parts, count_channels(follow.name) >= most_semaphores),
                             true);
    } catch (const Error& error) {
      return fail(error.problem(),
                  error.problem() == Problem::not_found ? "no such stream there" : error.why());
    }
    Channel& channel = channels_.back();
    adopt(channel);
    begin(channel);
    return &channel;
  }

  void take(const std::string& receiver, const Follow& follow) {
    Channel* channel = find(follow.name, follow.parts);
    if (channel == nullptr && observatory_) {
      channel = open(receiver, follow);
      if (channel == nullptr) {
        return;
      }
    }
    if (channel == nullptr) {
      send(receiver, encode(FromSender(Streams{names(), follow.name})));
      return;
    }
    const SubscriptionKey key{receiver, follow.id};
    const bool is_new = !channel->subscriptions.contains(key);
    if (is_new && count_subscriptions() >= most_subscriptions) {
      return;
    }
    Subscription& subscription = channel->subscriptions[key];
    const bool asks_anew = follow.session != subscription.session;
    if (is_new) {
      subscription.session = next_session_++;
      subscription.taken = channel->newest ? channel->newest->number - 1 : 0;
      if (follow.order == FrameOrder::every && channel->backlog.empty() && channel->newest) {
        channel->backlog.push_back(channel->newest);
        channel->backlog_bytes += kept_bytes(*channel->newest);
      }
      tell(NetworkEvent::Kind::follows, channel->source->name(), "a receiver follows");
    }
    subscription.order = follow.order;
    subscription.pixels = follow.parts.pixels;
    subscription.heard = steady_clock::now();
    const std::uint64_t window = std::min(follow.window, most_on_the_way);
    const std::uint64_t taken = is_new || asks_anew ? 0 : std::min(follow.taken, subscription.sent);
    subscription.limit = std::max(subscription.limit, taken + window);
    subscription.line.credited(taken, subscription.heard, follow.delay);
    set_rate(subscription, follow.rate);
    set_compression(*channel, subscription, follow.compression);
    if (follow.asked != never) {
      send(receiver, encode(FromSender(Alive{follow.asked, TaiClock::now()})));
    }
    // What is newer than what we have is about to be taken by the thread of the stream.
    const bool has_newest = channel->newest && channel->newest->cnt0 == channel->stream->cnt0();
    const bool is_there =
        follow.order == FrameOrder::every || has_newest || !channel->format
            ? serve(*channel, key, subscription)
            : announce(key, subscription, channel->format, channel->stream->cnt0());
    if (!is_there) {
      channel->subscriptions.erase(key);
    }
    trim(*channel);
    channel->wanted.notify_one();
    channel->packable.notify_one();
  }

  void set_compression(Channel& channel, Subscription& subscription, Compression wanted) {
    if (std::exchange(subscription.compression, wanted) != wanted) {
      subscription.codec = wanted == Compression::automatic ? Compression::none : wanted;
    }
    if (wanted != Compression::none && !channel.packer.joinable() && !is_over_) {
      channel.packer = start(channel, [this, &channel] { pack_frames(channel); });
    }
  }

  void set_rate(Subscription& subscription, std::optional<double> wanted) const {
    const std::optional<double> rate = !wanted          ? options_.rate
                                       : !options_.rate ? wanted
                                                        : std::min(*wanted, *options_.rate);
    constexpr double longest_interval = 1e6;
    subscription.interval =
        rate ? std::chrono::duration_cast<steady_clock::duration>(
                   std::chrono::duration<double>(std::min(1 / *rate, longest_interval)))
             : steady_clock::duration{0};
  }

  void forget_silent() {
    const auto long_ago = steady_clock::now() - silent_for_good;
    for (Channel& channel : channels_) {
      const auto gone = std::erase_if(
          channel.subscriptions, [&](const auto& entry) { return entry.second.heard < long_ago; });
      for (std::size_t i = 0; i < gone; ++i) {
        tell(NetworkEvent::Kind::leaves, channel.source->name(),
             "a receiver was not heard of for 5 s");
      }
    }
  }

  [[nodiscard]] int wait_milliseconds() {
    constexpr std::chrono::milliseconds longest{100};
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(longest);
    for (const Channel& channel : channels_) {
      for (const auto& [key, subscription] : channel.subscriptions) {
        if (subscription.due > now) {
          wait =
              std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(subscription.due - now));
        }
      }
    }
    return static_cast<int>(wait.count());
  }

  [[nodiscard]] std::size_t count_subscriptions() const {
    std::size_t count = 0;
    for (const Channel& channel : channels_) {
      count += channel.subscriptions.size();
    }
    return count;
  }
  /// Of one that serves all that may be followed, as it was within the last second.
  [[nodiscard]] std::vector<std::string> names() {
    if (observatory_) {
      const auto now = steady_clock::now();
      if (listed_.empty() || now - last_listing_ > std::chrono::seconds{1}) {
        last_listing_ = now;
        listed_ = list_streams(search_path_.shm);
        std::erase_if(listed_,
                      [this](const std::string& name) { return !observatory_->serves(name); });
      }
      return listed_;
    }
    std::vector<std::string> all;
    for (const Channel& channel : channels_) {
      all.push_back(channel.source->name());
    }
    return all;
  }
  /// Of one that was not opened for somebody there is but what was said that is sent of it: heads
  /// alone too.
  [[nodiscard]] Channel* find(const std::string& name, const FrameParts& parts = {}) {
    FrameParts with_pixels = parts;
    with_pixels.pixels = true;
    const auto found = std::ranges::find_if(channels_, [&](const Channel& channel) {
      return channel.source->name() == name && !channel.is_over &&
             channel.source->parts() == (channel.is_on_demand ? parts : with_pixels);
    });
    return found == channels_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::ptrdiff_t count_channels(const std::string& name) const {
    return std::ranges::count_if(
        channels_, [&](const Channel& channel) { return channel.source->name() == name; });
  }

  void tell(NetworkEvent::Kind kind, const std::string& subject, const std::string& text,
            std::uint64_t count = 0) const {
    if (options_.tell) {
      options_.tell({kind, subject, text, count});
    }
  }
  [[nodiscard]] bool is_over() const {
    return is_over_ || (options_.cancelled && options_.cancelled());
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;  // from here on no thread is started
      retired_.splice(retired_.end(), channels_);
    }
    retired_.clear();
    observatory_.reset();
  }

  SenderOptions options_;
  const SearchPath search_path_;
  std::string host_;
  zmq::context_t context_;
  std::mutex mutex_;  ///< of all that follows, and of what channels have in common
  std::optional<Authority> authority_;
  zmq::socket_t socket_;
  Monitor monitor_;
  int descriptor_ = -1;  ///< of the socket: it tells that there may be something to do
  int of_monitor_ = -1;
  std::list<Channel> channels_;
  std::list<Channel> retired_;  ///< whose threads are to be waited for without the lock
  std::uint64_t next_session_ =
      static_cast<std::uint64_t>(TaiClock::now().time_since_epoch().count());
  bool has_told_bad_ = false;
  std::exception_ptr failure_;
  std::atomic<bool> is_over_ = false;
  std::vector<std::string> listed_;
  steady_clock::time_point last_listing_;
  std::optional<Observatory> observatory_;  ///< of one that serves
};

Sender::Sender(const std::vector<Reference>& streams, const SearchPath& search_path,
               SenderOptions options)
    : outlet_(std::make_unique<Outlet>(streams, search_path, std::move(options))) {}
Sender::~Sender() = default;
std::string Sender::bind(const std::string& endpoint) { return outlet_->bind(endpoint); }
std::string Sender::adopt(int descriptor, const std::string& endpoint) {
  return outlet_->adopt(descriptor, endpoint);
}
void Sender::run() { outlet_->run(); }

std::string_view to_string(NetworkEvent::Kind kind) noexcept {
  switch (kind) {
    case NetworkEvent::Kind::listening:
      return "listening";
    case NetworkEvent::Kind::connected:
      return "connected";
    case NetworkEvent::Kind::down:
      return "down";
    case NetworkEvent::Kind::refused:
      return "refused";
    case NetworkEvent::Kind::follows:
      return "follows";
    case NetworkEvent::Kind::leaves:
      return "leaves";
    case NetworkEvent::Kind::created:
      return "created";
    case NetworkEvent::Kind::recreated:
      return "recreated";
    case NetworkEvent::Kind::removed:
      return "removed";
    case NetworkEvent::Kind::compression:
      return "compression";
    case NetworkEvent::Kind::lost:
      return "lost";
    case NetworkEvent::Kind::bad_message:
      return "bad message";
  }
  return "";
}

}  // namespace shmim
