#include "network/subscription.hpp"

#include <algorithm>

#include "network/packing.hpp"

namespace shmim::network {
namespace {

using std::chrono::steady_clock;

steady_clock::duration interval_of(std::optional<double> rate) {
  constexpr double longest_interval = 1e6;
  return rate ? std::chrono::duration_cast<steady_clock::duration>(
                    std::chrono::duration<double>(std::min(1 / *rate, longest_interval)))
              : steady_clock::duration{0};
}

}  // namespace

void Subscription::take(const Follow& follow, std::optional<double> most_often) {
  const bool asks_anew = follow.session != session;
  order = follow.order;
  pixels = follow.parts.pixels;
  heard = steady_clock::now();
  const std::uint64_t window = std::min(follow.window, most_on_the_way);
  const std::uint64_t has_come = asks_anew ? 0 : std::min(follow.taken, sent);
  limit = std::max(limit, has_come + window);
  line.credited(has_come, heard, follow.delay);
  interval = interval_of(!follow.rate  ? most_often
                         : !most_often ? follow.rate
                                       : std::min(*follow.rate, *most_often));
  if (std::exchange(compression, follow.compression) != follow.compression) {
    codec = compression == Compression::automatic ? Compression::none : compression;
  }
}

void Subscription::note_sent(const Packet& packet, std::uint64_t bytes) {
  ++sent;
  taken = packet.number;
  const auto now = steady_clock::now();
  line.sent(sent, bytes, now);
  if (interval.count() > 0) {
    // On its own grid, as long as it does not fall behind by more than an interval.
    const auto next = due + interval;
    due = next > now ? next : now + interval;
  }
}

bool Subscription::is_due() const noexcept {
  const auto now = steady_clock::now();
  return has_room(now) && (interval.count() == 0 || due <= now);
}

bool Subscription::awaits_packing(const Packet& packet) const {
  return codec != Compression::none && pixels && packet.number > taken &&
         can_pack(packet.pixels.size()) && !packet.packed_by(codec);
}

}  // namespace shmim::network
