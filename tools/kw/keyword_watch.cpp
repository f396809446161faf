#include "kw/keyword_watch.hpp"

#include <algorithm>
#include <utility>

#include "common/io/interrupt.hpp"

namespace shmim::tools {
namespace {

using std::chrono::steady_clock;

FollowOptions ended_by(std::function<bool()> cancelled) {
  FollowOptions options;
  options.cancelled = std::move(cancelled);
  return options;
}

}  // namespace

KeywordWatch::KeywordWatch(Stream stream, std::function<bool()> cancelled)
    : follower_(std::move(stream), ended_by(std::move(cancelled))) {
  look();
  written_ = this->stream().written();
}

std::optional<Keyword> KeywordWatch::find(std::string_view name) const {
  const auto found = std::ranges::find(keywords_, name, &Keyword::name);
  return found == keywords_.end() ? std::nullopt : std::optional(*found);
}

Arrival KeywordWatch::look_until(const std::function<bool()>& is_done, Deadline deadline) {
  constexpr std::chrono::milliseconds interval{2};  // nothing tells of a keyword
  while (!is_done()) {
    const auto moment = steady_clock::now();
    if (deadline && moment >= *deadline) {
      return Arrival::timed_out;
    }
    const auto next = moment + interval;
    const Arrival arrival = follower_.wait(deadline ? std::min(*deadline, next) : next);
    if (arrival != Arrival::arrived && arrival != Arrival::timed_out) {
      return arrival;
    }
    look();
  }
  return Arrival::arrived;
}

void KeywordWatch::look() {
  // A writer sets keywords before it counts the frame that they belong to.
  constexpr std::chrono::milliseconds patience{10};
  constexpr std::chrono::microseconds pause{50};
  const auto last_try = steady_clock::now() + patience;
  FrameInfo frame = stream().newest();
  while (true) {
    keywords_ = stream().keywords().all();
    const FrameInfo after = stream().newest();
    const bool is_of_one = after == frame && !stream().is_being_written();
    frame = after;
    const auto moment = steady_clock::now();
    if (is_of_one || moment >= last_try) {
      break;
    }
    sleep_until(moment + pause);
  }
  const bool is_of_another = std::exchange(recreations_, follower_.recreations()) != recreations_;
  if (is_of_another || frame.cnt0 < frame_.cnt0) {
    written_ = stream().written();
  } else if (frame.cnt0 != frame_.cnt0) {
    written_ = written_after(frame_, frame);
  }
  frame_ = frame;
}

}  // namespace shmim::tools
