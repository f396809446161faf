#include "shmim/rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

namespace shmim {
namespace {

using std::chrono::steady_clock;

double seconds_between(Tai begin, Tai end) noexcept { return Seconds(elapsed(begin, end)).count(); }

/// Root mean square of what is left of the write times when the straight line through them, over
/// cnt0, is taken away.
std::optional<Seconds> jitter_of(std::span<const FrameTime> frames) noexcept {
  if (frames.size() < 3) {
    return std::nullopt;
  }
  const auto count = static_cast<double>(frames.size());
  const auto number = [&](const FrameTime& frame) {
    return static_cast<double>(frame.cnt0 - frames.front().cnt0);
  };
  const auto time = [&](const FrameTime& frame) {
    return seconds_between(frames.front().written, frame.written);
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

/// How long to sleep between looks at a stream that has this mean interval.
std::chrono::nanoseconds pause_for(const std::vector<FrameTime>& seen) noexcept {
  constexpr double shortest = 50e-6;
  constexpr double longest = 10e-3;
  double interval = 4 * shortest;
  if (seen.size() > 1 && seen.back().cnt0 > seen.front().cnt0) {
    interval = seconds_between(seen.front().written, seen.back().written) /
               static_cast<double>(seen.back().cnt0 - seen.front().cnt0);
  }
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(std::clamp(interval / 4, shortest, longest) * 1e9));
}

}  // namespace

Rate rate_of(std::span<const FrameTime> frames) {
  Rate rate;
  if (frames.size() < 2) {
    return rate;
  }
  const FrameTime& first = frames.front();
  const FrameTime& last = frames.back();
  rate.frames = last.cnt0 - first.cnt0;
  rate.missed = rate.frames - std::min<std::uint64_t>(rate.frames, frames.size() - 1);
  const double elapsed = seconds_between(first.written, last.written);
  if (rate.frames == 0) {
    return rate;
  }
  if (elapsed <= 0) {
    rate.hertz.reset();
    return rate;
  }
  rate.hertz = static_cast<double>(rate.frames) / elapsed;
  rate.mean = Seconds(1 / *rate.hertz);

  double min = std::numeric_limits<double>::infinity();
  double max = -min;
  double sum = 0;
  double count = 0;
  const auto for_each_interval = [&](const auto& take) {
    for (std::size_t i = 1; i < frames.size(); ++i) {
      if (frames[i].cnt0 == frames[i - 1].cnt0 + 1) {
        take(seconds_between(frames[i - 1].written, frames[i].written));
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

FrameTime newest_frame(const Stream& stream) noexcept {
  // Count and time are of one frame where neither moved while the other was read. A writer that is
  // between the two all the time is not waited for: then they are one frame apart at most.
  constexpr int tries = 100;
  FrameTime frame;
  for (int i = 0; i < tries; ++i) {
    frame = {stream.cnt0(), stream.written()};
    layout::finish_copy();
    if (stream.cnt0() == frame.cnt0 && stream.written() == frame.written &&
        !stream.is_being_written()) {
      break;
    }
  }
  return frame;
}

bool see_frames(const Stream& stream, std::vector<FrameTime>& seen) {
  const FrameTime newest = newest_frame(stream);
  if (!seen.empty() && newest.cnt0 < seen.back().cnt0) {
    seen.clear();
  }
  if (!seen.empty() && newest.cnt0 == seen.back().cnt0) {
    return false;
  }
  if (!seen.empty() && seen.back().written == never) {
    seen.clear();  // what was seen was that there is no frame: nothing to count from
  }
  const CircularBuffer buffer = stream.circular_buffer();
  const auto position = !seen.empty() ? buffer.newest() : std::nullopt;
  if (position && position->cnt0 >= newest.cnt0) {
    const std::uint64_t oldest = std::max(buffer.oldest(*position), seen.back().cnt0 + 1);
    for (std::uint64_t cnt0 = oldest; cnt0 < newest.cnt0; ++cnt0) {
      FrameInfo info;
      if (buffer.read(
              *position, cnt0, [](std::span<const std::byte>) {}, info) &&
          info.writetime != never) {
        seen.push_back({cnt0, info.writetime});
      }
    }
  }
  seen.push_back(newest);
  return true;
}

std::vector<FrameTime> watch_frames(const Stream& stream, std::uint64_t count, Deadline deadline,
                                    const std::function<bool()>& cancelled) {
  constexpr std::chrono::milliseconds look_interval{100};
  std::vector<FrameTime> seen;
  static_cast<void>(see_frames(stream, seen));
  auto next_look = steady_clock::now() + look_interval;
  while (seen.back().cnt0 - seen.front().cnt0 < count) {
    const auto moment = steady_clock::now();
    if (deadline && moment >= *deadline) {
      break;
    }
    if (moment >= next_look) {
      if ((cancelled && cancelled()) || !stream.is_current()) {
        break;
      }
      next_look = moment + look_interval;
    }
    if (!see_frames(stream, seen)) {
      std::this_thread::sleep_for(pause_for(seen));
    }
  }
  // The circular buffer may have given more than was asked for.
  while (seen.back().cnt0 - seen.front().cnt0 > count && seen.size() > 2 &&
         seen[seen.size() - 2].cnt0 - seen.front().cnt0 >= count) {
    seen.pop_back();
  }
  return seen;
}

}  // namespace shmim
