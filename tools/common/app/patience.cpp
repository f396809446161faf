#include "common/app/patience.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/app/context.hpp"
#include "common/app/options.hpp"
#include "common/io/exit.hpp"
#include "common/io/interrupt.hpp"
#include "common/io/stdout.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {

void Patience::declare(Options& options, const Option* needed, std::string timeout_help) {
  Option& timeout = options.duration("-t,--timeout", timeout_, std::move(timeout_help));
  Option& whole = options.duration("--for", whole_, "end after this time, whatever comes");
  if (needed != nullptr) {
    timeout.needs(*needed);
    whole.needs(*needed);
  }
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
  const std::string& name = follower.stream().name();
  switch (arrival) {
    case Arrival::interrupted:
      throw_if_writing_is_over();
      throw Interrupted{};
    case Arrival::removed:
      throw Error(Problem::removed, name, "was removed while we waited for its next frame");
    case Arrival::recreated:
      throw Error(Problem::mismatch, name,
                  fmt::format("was re-created with another format: {}", follower.difference()));
    case Arrival::arrived:
    case Arrival::timed_out:
      return give_up(context, name, follower.seen(), lacking, what);
  }
}

void Patience::give_up(const Context& context, const std::string& name,
                       std::optional<std::uint64_t> seen, const std::optional<std::string>& lacking,
                       std::string_view what) const {
  if (!is_over()) {
    context.note(name, fmt::format("timed out: no {} for {}{}", what, in_words(Seconds(*timeout_)),
                                   seen ? fmt::format(" after frame {}", *seen) : ""));
    throw TimedOut{};
  }
  if (lacking) {
    context.note(name, fmt::format("timed out: {} in {}", *lacking, in_words(Seconds(*whole_))));
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
