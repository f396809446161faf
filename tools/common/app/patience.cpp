#include "common/app/patience.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/app/context.hpp"
#include "common/app/options.hpp"
#include "common/io/exit.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

void Patience::declare(Options& options) {
  options.duration("-t,--timeout", timeout_, "give up when no frame comes for so long");
  options.duration("--for", whole_, "end after this time, whatever comes");
}

Deadline Patience::next() const noexcept {
  const Deadline silence = deadline_after(timeout_);
  return silence && end_ ? std::min(silence, end_) : silence ? silence : end_;
}

bool Patience::is_over() const noexcept {
  return end_ && std::chrono::steady_clock::now() >= *end_;
}

void Patience::end(const Context& context, Arrival arrival, const Follower& follower,
                   const std::optional<std::string>& lacking, std::string_view what) const {
  if (arrival != Arrival::timed_out) {
    Context::end_following(arrival, follower);
  }
  if (!is_over()) {
    context.note(follower.stream().name(),
                 fmt::format("timed out: no {} for {} after frame {}", what,
                             in_words(Seconds(*timeout_)), follower.seen()));
    throw TimedOut{};
  }
  if (lacking) {
    context.note(follower.stream().name(),
                 fmt::format("timed out: {} in {}", *lacking, in_words(Seconds(*whole_))));
    throw TimedOut{};
  }
}

std::optional<std::string> Patience::lacking(std::uint64_t came,
                                             std::optional<std::uint64_t> wanted,
                                             std::string_view what) {
  return wanted ? std::optional(fmt::format("{} of {} came", came, counted(*wanted, what)))
                : std::nullopt;
}

}  // namespace shmim::tools
