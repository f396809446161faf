#include <algorithm>
#include <chrono>
#include <list>
#include <optional>
#include <utility>

#include "network/channel.hpp"
#include "network/message.hpp"
#include "network/observatory.hpp"
#include "network/source.hpp"
#include "network/trunk.hpp"
#include "shmim/directory.hpp"
#include "shmim/error.hpp"

namespace shmim::network {
namespace {

// What hostile receivers can cost.
constexpr std::size_t most_subscriptions = 1024;
constexpr std::size_t most_channels = 256;

}  // namespace
}  // namespace shmim::network

namespace shmim {

using namespace network;  // NOLINT(google-build-using-namespace): this is what it was made for

class Sender::Outlet {
 public:
  Outlet(const std::vector<Reference>& streams, SearchPath search_path, SenderOptions options)
      : options_(std::move(options)),
        search_path_(std::move(search_path)),
        trunk_(options_, [this](const std::string& receiver, const FromReceiver& message) {
          take(receiver, message);
        }) {
    for (const Reference& stream : streams) {
      if (find(stream.name) != nullptr) {
        throw Error(Problem::usage, stream.name, "is there twice: receivers ask by name");
      }
      channels_.emplace_back(
          trunk_,
          std::make_unique<Source>(stream, search_path_, [this] { return trunk_.is_over(); }),
          false);
    }
    if (options_.serves) {
      observatory_.emplace(
          search_path_.shm, *options_.serves,
          [this](const std::string& receiver, std::uint64_t id, zmq::message_t sight) {
            const std::lock_guard lock(trunk_.mutex());
            trunk_.send(receiver, Seen{id}, &sight);
            trunk_.take_messages();
          },
          [this](const std::string& receiver, const Failure& failure) {
            const std::lock_guard lock(trunk_.mutex());
            trunk_.send(receiver, failure);
            trunk_.take_messages();
          });
    }
  }
  ~Outlet() { end(); }
  Outlet(const Outlet&) = delete;
  Outlet(Outlet&&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  Outlet& operator=(Outlet&&) = delete;

  [[nodiscard]] Trunk& trunk() noexcept { return trunk_; }

  void run() {
    for (Channel& channel : channels_) {
      channel.begin();
    }
    while (!trunk_.is_over()) {
      trunk_.wait(until_due());
      std::unique_lock lock(trunk_.mutex());
      trunk_.take_news();
      for (Channel& channel : channels_) {
        channel.forget_silent();
      }
      for (Channel& channel : channels_) {
        channel.serve();
      }
      trunk_.take_messages();
      retire_unwanted();
      lock.unlock();
      retired_.clear();  // which waits for their threads, and those for the lock
    }
    end();
    trunk_.rethrow_failure();
  }

 private:
  // ---- With the lock, in any thread.

  void take(const std::string& receiver, const FromReceiver& message) {
    if (const auto* follow = std::get_if<Follow>(&message)) {
      take(receiver, *follow);
    } else if (const auto* look = std::get_if<Look>(&message)) {
      take(receiver, *look);
    } else {
      trunk_.send(receiver, Streams{names(), {}});
    }
  }

  void take(const std::string& receiver, const Look& look) {
    if (observatory_) {
      observatory_->ask(receiver, look);
    } else {
      trunk_.send(receiver,
                  Failure{look.id, Problem::failed, "shmim-send is there, and no shmim-serve"});
    }
  }

  void take(const std::string& receiver, const Follow& follow) {
    Channel* channel = find(follow.name, follow.parts);
    if (channel == nullptr && observatory_) {
      channel = open(receiver, follow);
    } else if (channel == nullptr) {
      trunk_.send(receiver, Streams{names(), follow.name});
    }
    if (channel != nullptr) {
      channel->take(receiver, follow, count_subscriptions() < most_subscriptions);
    }
  }

  /// Opens the stream for whoever asks; null where it cannot be, which he is told.
  Channel* open(const std::string& receiver, const Follow& follow) {
    const auto fail = [&](Problem problem, const std::string& why) -> Channel* {
      trunk_.send(receiver, Failure{follow.id, problem, why});
      return nullptr;
    };
    if (name_error(follow.name) || !observatory_->serves(follow.name)) {
      return fail(Problem::not_found, "no such stream there");
    }
    if (trunk_.has_ended() || channels_.size() >= most_channels) {
      return fail(Problem::failed, "too many streams are followed there already");
    }
    Reference reference;
    reference.location = Location::shared;
    reference.name = reference.text = follow.name;
    try {
      channels_.emplace_back(
          trunk_,
          std::make_unique<Source>(
              reference, search_path_, [this] { return trunk_.is_over(); }, follow.parts, true),
          true);
    } catch (const Error& error) {
      return fail(error.problem(),
                  error.problem() == Problem::not_found ? "no such stream there" : error.why());
    }
    channels_.back().begin();
    return &channels_.back();
  }

  /// Of one that was not opened for somebody there is but what was said that is sent of it: heads
  /// alone too.
  [[nodiscard]] Channel* find(const std::string& name, const FrameParts& parts = {}) {
    FrameParts with_pixels = parts;
    with_pixels.pixels = true;
    const auto found = std::ranges::find_if(channels_, [&](const Channel& channel) {
      return channel.name() == name && !channel.is_over() &&
             channel.parts() == (channel.is_on_demand() ? parts : with_pixels);
    });
    return found == channels_.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::size_t count_subscriptions() const {
    std::size_t count = 0;
    for (const Channel& channel : channels_) {
      count += channel.receivers();
    }
    return count;
  }

  /// Of one that serves all that may be followed, as it was within the last second.
  [[nodiscard]] std::vector<std::string> names() {
    if (observatory_) {
      const auto now = std::chrono::steady_clock::now();
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
      all.push_back(channel.name());
    }
    return all;
  }

  void retire_unwanted() {
    const auto now = std::chrono::steady_clock::now();
    for (auto channel = channels_.begin(); channel != channels_.end();) {
      const auto next = std::next(channel);
      if (channel->is_unwanted(now)) {
        channel->end();
        retired_.splice(retired_.end(), channels_, channel);
      }
      channel = next;
    }
  }

  // ---- In the thread of run().

  /// How long nothing need be sent to a receiver at a rate.
  [[nodiscard]] std::chrono::milliseconds until_due() {
    constexpr std::chrono::milliseconds longest{100};
    const std::lock_guard lock(trunk_.mutex());
    const auto now = std::chrono::steady_clock::now();
    auto next = now + longest;
    for (const Channel& channel : channels_) {
      next = channel.next_due(now, next);
    }
    return std::chrono::ceil<std::chrono::milliseconds>(next - now);
  }

  void end() {
    {
      const std::lock_guard lock(trunk_.mutex());
      trunk_.end();  // from here on no thread is started
      retired_.splice(retired_.end(), channels_);
    }
    retired_.clear();
    observatory_.reset();
  }

  SenderOptions options_;
  const SearchPath search_path_;
  Trunk trunk_;
  // With its lock.
  std::list<Channel> channels_;
  std::list<Channel> retired_;  ///< whose threads are to be waited for without the lock
  std::vector<std::string> listed_;
  std::chrono::steady_clock::time_point last_listing_;
  std::optional<Observatory> observatory_;  ///< of one that serves
};

Sender::Sender(const std::vector<Reference>& streams, const SearchPath& search_path,
               SenderOptions options)
    : outlet_(std::make_unique<Outlet>(streams, search_path, std::move(options))) {}
Sender::~Sender() = default;
std::string Sender::bind(const std::string& endpoint) { return outlet_->trunk().bind(endpoint); }
std::string Sender::adopt(int descriptor, const std::string& endpoint) {
  return outlet_->trunk().adopt(descriptor, endpoint);
}
void Sender::run() { outlet_->run(); }

}  // namespace shmim
