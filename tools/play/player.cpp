#include "play/player.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>

#include "common/app/options.hpp"
#include "common/io/interrupt.hpp"
#include "common/print/words.hpp"

namespace shmim::tools {
namespace {

using std::chrono::steady_clock;

/// Sleeping ends late, and much later where an idle processor must first be given back to us, as on
/// a virtual machine: the last of the time is spent awake, the more of it the later sleeping has
/// recently ended.
class Alarm {
 public:
  void wait_until(steady_clock::time_point time) {
    awake_ = std::max(awake_ - awake_ / 1024, least);
    if (const auto end = time - awake_; steady_clock::now() < end) {
      sleep_until(end);
      const std::chrono::nanoseconds late = steady_clock::now() - end;
      awake_ = std::max(awake_, std::min(2 * late, most));
    }
    while (steady_clock::now() < time) {
    }
    throw_if_interrupted();
  }

 private:
  static constexpr std::chrono::nanoseconds least = std::chrono::microseconds{80};
  static constexpr std::chrono::nanoseconds most = std::chrono::milliseconds{1};
  std::chrono::nanoseconds awake_ = least;
};

}  // namespace

void Lead::add(std::chrono::nanoseconds took) noexcept {
  times_[count_++ % times_.size()] = took;
  auto sorted = times_;
  auto* const end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(count_, times_.size()));
  auto* const middle = sorted.begin() + (end - sorted.begin()) / 2;
  std::nth_element(sorted.begin(), middle, end);
  median_ = *middle;
}

Track::Track(std::string file, std::unique_ptr<Playable> frames, WantedFrames wanted,
             Publisher publisher, Carried carried)
    : file_(std::move(file)),
      publisher_(std::move(publisher)),
      carried_(carried),
      reading_(std::move(frames), std::move(wanted)) {}

void Track::carry_on(const RecordedFrame& frame) {
  publisher_.set_lost(frame.missed);
  if (carried_.atime) {
    publisher_.set_atime(is_date(frame.info.atime) ? std::optional(frame.info.atime)
                                                   : std::nullopt);
  }
  if (carried_.keywords && frame.keywords != keywords_) {
    for (const Keyword& before : keywords_) {
      if (std::ranges::find(frame.keywords, before.name, &Keyword::name) == frame.keywords.end()) {
        publisher_.stream().keywords().erase(before.name);
      }
    }
    publisher_.set_keywords(frame.keywords);
    keywords_ = frame.keywords;
  }
}

void Track::publish(const ReadAhead::Frame& frame, steady_clock::time_point due,
                    bool was_read_late) {
  const steady_clock::time_point begun = steady_clock::now();
  try {
    carry_on(frame.frame);
    publisher_.publish(frame.pixels);
  } catch (const Error& error) {
    if (frames_ == 0) {
      throw;
    }
    throw Error(error.problem(), error.subject(),
                fmt::format("{} (after {})", error.why(), counted(frames_, "frame")));
  }
  end_ = steady_clock::now();
  begin_ = frames_ == 0 ? end_ : begin_;
  lead_.add(end_ - begun);
  errors_.add(end_ < due ? due - end_ : end_ - due);
  ++frames_;
  missed_ += frame.frame.missed;
  read_late_ += was_read_late ? 1 : 0;
}

std::string Track::summary() const {
  std::string text = fmt::format("{} to {}", counted(frames_, "frame"), stream());
  if (frames_ > 0) {
    text += fmt::format(" in {}", in_words(duration()));
  }
  if (missed_ > 0) {
    text += fmt::format(", {} missed as recorded", missed_);
  }
  if (frames_ > 0) {
    text += fmt::format("; off by {}", errors_.text());
  }
  if (read_late_ > 0) {
    text += fmt::format("; {} late since the file was not read in time", read_late_);
  }
  return text;
}

Record Track::record() const {
  const auto seconds = [this](std::chrono::nanoseconds time) {
    return frames_ > 0 ? Record(Seconds(time).count()) : Record(nullptr);
  };
  return {{"file", file_},
          {"name", stream()},
          {"frames", frames_},
          {"missed", missed_},
          {"duration", duration().count()},
          {"p50", seconds(errors_.percentile(50))},
          {"p99", seconds(errors_.percentile(99))},
          {"max", seconds(errors_.max())},
          {"read_late", read_late_}};
}

namespace {

/// From the beginning of a round to that of the next: the last frame stays as long as others do.
Moment period_of(const std::vector<std::unique_ptr<Track>>& tracks, const TimeLine& time_line) {
  Span all{Moment::max(), Moment::min(), 0};
  Moment interval{};
  for (const auto& track : tracks) {
    const Span span = track->reading().span().value_or(Span{});
    all.first = std::min(all.first, span.first);
    all.last = std::max(all.last, span.last);
    if (span.frames > 1) {
      interval =
          std::max(interval, (span.last - span.first) / static_cast<std::int64_t>(span.frames - 1));
    }
  }
  if (time_line.rate) {
    interval = nanoseconds_of(1 / *time_line.rate);
  }
  const Moment period = all.last - all.first + interval;
  if (period <= Moment{0}) {
    throw Error(Problem::usage, tracks.front()->file(),
                "has one moment, and --loop needs more: say how fast with --rate HZ");
  }
  return period;
}

/// The frame that is to be begun with next of all tracks.
struct Next {
  Track* track = nullptr;
  const ReadAhead::Frame* frame = nullptr;
  Moment begin{};
  bool waited = false;
};

Next next_of(const std::vector<std::unique_ptr<Track>>& tracks, double speed) {
  Next next;
  for (const auto& track : tracks) {
    bool waited = false;
    const ReadAhead::Frame* const frame = track->reading().front(waited);
    next.waited = next.waited || waited;
    if (frame == nullptr) {
      continue;
    }
    // Of two at one moment that comes first which takes longer.
    const double lead = static_cast<double>(track->lead().count()) * speed;
    const Moment begin = frame->moment - Moment{static_cast<std::int64_t>(lead)};
    if (next.frame == nullptr ||
        std::pair(frame->round, begin) < std::pair(next.frame->round, next.begin)) {
      next = {track.get(), frame, begin, next.waited};
    }
  }
  return next;
}

}  // namespace

void play(std::vector<std::unique_ptr<Track>>& tracks, const TimeLine& time_line, double speed) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  for (const auto& track : tracks) {
    track->reading().fill();
  }
  std::optional<Moment> zero;  // where the time line starts
  std::optional<Moment> period;
  steady_clock::time_point start;
  Alarm alarm;
  for (Next next = next_of(tracks, speed); next.frame != nullptr; next = next_of(tracks, speed)) {
    if (!zero) {
      constexpr std::chrono::milliseconds to_be_in_time_for_the_first{2};
      zero = next.frame->moment;
      start = steady_clock::now() + to_be_in_time_for_the_first;
    }
    if (next.frame->round > 0 && !period) {
      period = period_of(tracks, time_line);
    }
    const Moment moment = next.frame->moment - *zero +
                          static_cast<std::int64_t>(next.frame->round) * period.value_or(Moment{0});
    const auto due =
        start + Moment{static_cast<std::int64_t>(static_cast<double>(moment.count()) / speed)};
    const bool was_read_late = next.waited && steady_clock::now() > due - next.track->lead();
    alarm.wait_until(due - next.track->lead());
    next.track->publish(*next.frame, due, was_read_late);
    next.track->reading().pop();
  }
}

}  // namespace shmim::tools
