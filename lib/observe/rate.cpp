#include "shmim/rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

namespace shmim {
namespace {

using std::chrono::steady_clock;

/// By the writer's stamps, or by our looks.
double seconds_between(const FrameTime& begin, const FrameTime& end, bool is_stamped) noexcept {
  return is_stamped ? Seconds(elapsed(begin.written, end.written)).count()
                    : Seconds(end.seen - begin.seen).count();
}

/// The frames that have a time of their own, if that is what most have. One of a writer that stamps
/// may have none, where it was met between its stamp and its count; and one of a writer that does
/// not may have that of a writer before it.
std::vector<FrameTime> stamped_by_writer(std::span<const FrameTime> frames) {
  std::vector<FrameTime> stamped;
  for (const FrameTime& frame : frames) {
    if (is_date(frame.written) && (stamped.empty() || frame.written != stamped.back().written)) {
      stamped.push_back(frame);
    }
  }
  const bool are_most = stamped.size() > frames.size() - stamped.size();
  return stamped.size() >= 2 && are_most ? stamped : std::vector<FrameTime>();
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

/// How long to sleep between looks at a stream whose frames came like these.
std::chrono::nanoseconds pause_for(std::span<const FrameTime> seen) {
  constexpr std::size_t enough = 16;
  constexpr Seconds shortest{50e-6};
  constexpr Seconds longest{10e-3};
  const Rate rate = rate_of(seen.last(std::min(seen.size(), enough)));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::clamp(rate.mean.value_or(shortest) / 4, shortest, longest));
}

}  // namespace

Rate rate_of(std::span<const FrameTime> frames) {
  Rate rate;
  frames = without_none(frames, 2);
  if (frames.size() < 2) {
    return rate;
  }
  rate.frames = frames.back().cnt0 - frames.front().cnt0;
  rate.missed = rate.frames - std::min<std::uint64_t>(rate.frames, frames.size() - 1);
  const std::vector<FrameTime> stamped = stamped_by_writer(frames);
  rate.is_stamped = !stamped.empty();
  if (rate.is_stamped) {
    frames = stamped;
  }
  const FrameTime& first = frames.front();
  const FrameTime& last = frames.back();
  if (first.cnt0 == last.cnt0) {
    return rate;
  }
  const double elapsed = seconds_between(first, last, rate.is_stamped);
  if (elapsed <= 0) {
    rate.hertz.reset();
    return rate;
  }
  rate.hertz = static_cast<double>(last.cnt0 - first.cnt0) / elapsed;
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
  if (!frames_.empty() && newest.cnt0 == newest_.cnt0) {
    return false;  // and its times may be those of the next by now
  }
  const CircularBuffer buffer = stream.circular_buffer();
  const auto position = buffer.newest();
  const bool is_in_buffer = position && position->cnt0 >= newest.cnt0 && newest.cnt0 != 0;
  const std::uint64_t oldest = is_in_buffer ? buffer.oldest(*position) : 0;
  const auto add_from_buffer = [&](std::uint64_t cnt0) {
    FrameInfo info;
    const bool is_there = is_in_buffer && cnt0 >= oldest &&
                          buffer.read(
                              *position, cnt0, [](std::span<const std::byte>) {}, info) &&
                          is_date(info.writetime);
    if (is_there) {
      frames_.push_back({cnt0, info.writetime, moment});
    }
    return is_there;
  };
  const FrameInfo before = std::exchange(newest_, newest);
  if (frames_.empty() || newest.cnt0 < before.cnt0) {
    frames_.clear();
    if (!add_from_buffer(newest.cnt0)) {
      frames_.push_back({newest.cnt0, newest.cnt0 == 0 ? never : stream.written(), moment});
    }
    return true;
  }
  for (std::uint64_t cnt0 = std::max(oldest, before.cnt0 + 1); cnt0 < newest.cnt0; ++cnt0) {
    add_from_buffer(cnt0);
  }
  // The buffer has each frame's own time; the header may have that of a frame not yet counted.
  if (add_from_buffer(newest.cnt0)) {
    return true;
  }
  const Tai written = before.cnt0 == 0 ? stream.written() : written_after(before, newest);
  FrameTime& last = frames_.back();
  if (newest.writetime == before.writetime && last.cnt0 == before.cnt0 && last.cnt0 != 0) {
    // Nor was the one before stamped so, or not that any more.
    last.written = written == never ? never : std::max(before.writetime, before.accesstime);
  }
  frames_.push_back({newest.cnt0, written, moment});
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
