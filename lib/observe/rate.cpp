#include "shmim/rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

namespace shmim {
namespace {

using std::chrono::steady_clock;

/// By the writer's stamps, or by our looks.
double seconds_between(const FrameTime& begin, const FrameTime& end, bool is_stamped) noexcept {
  return is_stamped ? Seconds(elapsed(begin.written, end.written)).count()
                    : Seconds(end.seen - begin.seen).count();
}

bool are_stamped(std::span<const FrameTime> frames) noexcept {
  return std::ranges::none_of(frames,
                              [](const FrameTime& frame) { return !is_date(frame.written); });
}

/// Root mean square of what is left of the write times when the straight line through them, over
/// cnt0, is taken away.
std::optional<Seconds> jitter_of(std::span<const FrameTime> frames) noexcept {
  constexpr std::size_t fewest = 20;  // of fewer it says little of the next
  if (frames.size() < fewest) {
    return std::nullopt;
  }
  const auto count = static_cast<double>(frames.size());
  const auto number = [&](const FrameTime& frame) {
    return static_cast<double>(frame.cnt0 - frames.front().cnt0);
  };
  const auto time = [&](const FrameTime& frame) {
    return seconds_between(frames.front(), frame, true);
  };
  double mean_number = 0;
  double mean_time = 0;
  for (const FrameTime& frame : frames) {
    mean_number += number(frame) / count;
    mean_time += time(frame) / count;
  }
  double number_number = 0;
  double number_time = 0;
  double time_time = 0;
  for (const FrameTime& frame : frames) {
    const double n = number(frame) - mean_number;
    const double t = time(frame) - mean_time;
    number_number += n * n;
    number_time += n * t;
    time_time += t * t;
  }
  const double left = time_time - number_time * number_time / number_number;
  return Seconds(std::sqrt(std::max(left, 0.0) / count));
}

/// Without what was there before the first frame, if more than `most` are left.
std::span<const FrameTime> without_none(std::span<const FrameTime> frames,
                                        std::size_t most) noexcept {
  return frames.size() > most && frames.front().cnt0 == 0 ? frames.subspan(1) : frames;
}

/// How long to sleep between looks at a stream that has this mean interval.
std::chrono::nanoseconds pause_for(const std::vector<FrameTime>& seen) noexcept {
  constexpr double shortest = 50e-6;
  constexpr double longest = 10e-3;
  double interval = 4 * shortest;
  if (seen.size() > 1 && seen.back().cnt0 > seen.front().cnt0) {
    interval = seconds_between(seen.front(), seen.back(), are_stamped(seen)) /
               static_cast<double>(seen.back().cnt0 - seen.front().cnt0);
  }
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(std::clamp(interval / 4, shortest, longest) * 1e9));
}

}  // namespace

Rate rate_of(std::span<const FrameTime> frames) {
  Rate rate;
  frames = without_none(frames, 2);
  if (frames.size() < 2) {
    return rate;
  }
  const FrameTime& first = frames.front();
  const FrameTime& last = frames.back();
  rate.frames = last.cnt0 - first.cnt0;
  rate.missed = rate.frames - std::min<std::uint64_t>(rate.frames, frames.size() - 1);
  rate.is_stamped = are_stamped(frames);
  const double elapsed = seconds_between(first, last, rate.is_stamped);
  if (rate.frames == 0) {
    return rate;
  }
  if (elapsed <= 0) {
    rate.hertz.reset();
    return rate;
  }
  rate.hertz = static_cast<double>(rate.frames) / elapsed;
  rate.mean = Seconds(1 / *rate.hertz);
  if (!rate.is_stamped) {
    return rate;
  }

  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  double sum = 0;
  double count = 0;
  const auto for_each_interval = [&](const auto& take) {
    for (std::size_t i = 1; i < frames.size(); ++i) {
      if (frames[i].cnt0 == frames[i - 1].cnt0 + 1) {
        take(seconds_between(frames[i - 1], frames[i], true));
      }
    }
  };
  for_each_interval([&](double interval) {
    min = std::min(min, interval);
    max = std::max(max, interval);
    sum += interval;
    ++count;
  });
  if (count > 0) {
    double squares = 0;
    for_each_interval(
        [&](double interval) { squares += (interval - sum / count) * (interval - sum / count); });
    rate.min = Seconds(min);
    rate.max = Seconds(max);
    rate.stddev = Seconds(std::sqrt(squares / count));
  }
  rate.jitter = jitter_of(frames);
  return rate;
}

bool FrameLog::look(const Stream& stream) {
  const FrameInfo newest = stream.newest();
  const auto moment = steady_clock::now();
  const bool has_begun_anew = !frames_.empty() && newest.cnt0 < newest_.cnt0;
  if (frames_.empty() || has_begun_anew) {
    newest_ = newest;
    frames_.assign(1, {newest.cnt0, newest.cnt0 == 0 ? never : stream.written(), moment});
    return true;
  }
  if (newest.cnt0 == newest_.cnt0) {
    return false;
  }
  const Tai written = newest_.cnt0 == 0 ? stream.written() : written_after(newest_, newest);
  if (newest.writetime == newest_.writetime && newest_.cnt0 != 0) {
    // Nor was the one before stamped so, or not that any more.
    frames_.back().written =
        written == never ? never : std::max(newest_.writetime, newest_.accesstime);
  }
  const CircularBuffer buffer = stream.circular_buffer();
  if (const auto position = buffer.newest(); position && position->cnt0 >= newest.cnt0) {
    const std::uint64_t oldest = std::max(buffer.oldest(*position), newest_.cnt0 + 1);
    for (std::uint64_t cnt0 = oldest; cnt0 < newest.cnt0; ++cnt0) {
      FrameInfo info;
      if (buffer.read(
              *position, cnt0, [](std::span<const std::byte>) {}, info) &&
          is_date(info.writetime)) {
        frames_.push_back({cnt0, info.writetime, moment});
      }
    }
  }
  frames_.push_back({newest.cnt0, written, moment});
  newest_ = newest;
  return true;
}

void FrameLog::keep(std::size_t frames) {
  if (frames_.size() > frames) {
    frames_.erase(frames_.begin(), frames_.end() - static_cast<std::ptrdiff_t>(frames));
  }
}

std::vector<FrameTime> watch_frames(const Stream& stream, std::uint64_t count,
                                    const WatchLimits& limits) {
  constexpr std::chrono::milliseconds between_looks{100};
  FrameLog log;
  static_cast<void>(log.look(stream));
  auto next_look = steady_clock::now() + between_looks;
  const auto frames = [&log] { return without_none(log.frames(), 1); };
  Deadline silence = deadline_after(limits.silence);
  while (frames().back().cnt0 - frames().front().cnt0 < count) {
    const auto moment = steady_clock::now();
    if ((limits.deadline && moment >= *limits.deadline) || (silence && moment >= *silence)) {
      break;
    }
    if (moment >= next_look) {
      if ((limits.cancelled && limits.cancelled()) || !stream.is_current()) {
        break;
      }
      next_look = moment + between_looks;
    }
    if (log.look(stream)) {
      silence = deadline_after(limits.silence);
    } else {
      std::this_thread::sleep_for(pause_for(log.frames()));
    }
  }
  std::vector<FrameTime> seen(frames().begin(), frames().end());
  // The circular buffer may have given more than was asked for.
  while (seen.back().cnt0 - seen.front().cnt0 > count && seen.size() > 2 &&
         seen[seen.size() - 2].cnt0 - seen.front().cnt0 >= count) {
    seen.pop_back();
  }
  return seen;
}

}  // namespace shmim
