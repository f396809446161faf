#include "play/read_ahead.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "common/io/interrupt.hpp"
#include "common/io/scheduling.hpp"

namespace shmim::tools {
namespace {

constexpr std::size_t least_frames = 4;
constexpr std::size_t most_frames = 16384;

/// When a frame was written, or else acquired; never where nobody says.
Tai date_of(const RecordedFrame& frame) {
  return is_date(frame.info.writetime) ? frame.info.writetime
         : is_date(frame.info.atime)   ? frame.info.atime
                                       : never;
}

[[noreturn]] void refuse_timeless(const std::string& file, const RecordedFrame& frame,
                                  std::string_view advice) {
  throw Error(Problem::usage, file,
              fmt::format("frame {} has no time: {}", frame.info.cnt0, advice));
}

}  // namespace

Moment TimeLine::moment_of(const RecordedFrame& frame, std::uint64_t index,
                           const std::string& file) const {
  if (rate) {
    return Moment{static_cast<std::int64_t>(static_cast<double>(index) * 1e9 / *rate)};
  }
  const Tai date = date_of(frame);
  if (date == never) {
    refuse_timeless(file, frame, "say how fast with --rate HZ");
  }
  return date.time_since_epoch();
}

ReadAhead::ReadAhead(std::unique_ptr<Playable> file, Reading reading)
    : file_(std::move(file)), reading_(std::move(reading)) {
  ring_.resize(std::clamp<std::size_t>(reading_.memory / file_->stream().frame_bytes(),
                                       least_frames, most_frames));
  // Signals are for the thread that plays.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    is_given_up_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

/// Signals end it.
template <class Condition>
void ReadAhead::wait(std::unique_lock<std::mutex>& lock, const Condition& condition) {
  constexpr std::chrono::milliseconds until_a_signal_is_looked_for{20};
  while (!changed_.wait_for(lock, until_a_signal_is_looked_for, condition)) {
    throw_if_interrupted();
  }
}

void ReadAhead::fill() {
  std::unique_lock lock(mutex_);
  wait(lock, [this] { return is_at_end_ || count_ == ring_.size(); });
}

const ReadAhead::Frame* ReadAhead::front(bool& waited) {
  std::unique_lock lock(mutex_);
  waited = count_ == 0 && !is_at_end_;
  if (waited) {
    wait(lock, [this] { return is_at_end_ || count_ > 0; });
  }
  if (count_ > 0) {
    return &ring_[first_];
  }
  if (error_) {
    std::rethrow_exception(error_);
  }
  return nullptr;
}

void ReadAhead::pop() {
  {
    const std::lock_guard lock(mutex_);
    first_ = (first_ + 1) % ring_.size();
    --count_;
  }
  changed_.notify_all();
}

std::optional<Span> ReadAhead::span() const {
  const std::lock_guard lock(mutex_);
  return span_;
}

ReadAhead::Frame* ReadAhead::room() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_given_up_ || count_ < ring_.size(); });
  return is_given_up_ ? nullptr : &ring_[(first_ + count_) % ring_.size()];
}

void ReadAhead::run() noexcept {
  std::exception_ptr error;
  try {
    if (reading_.processor) {
      run_on_processor(*reading_.processor);
    }
    read_all();
  } catch (...) {
    error = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    error_ = error;
    is_at_end_ = true;
  }
  changed_.notify_all();
}

void ReadAhead::read_all() {
  for (std::uint64_t round = 0; round == 0 || reading_.loops; ++round) {
    const Span span = read_round(round);
    const std::lock_guard lock(mutex_);
    if (is_given_up_) {
      return;
    }
    if (span.frames == 0) {
      throw Error(
          Problem::failed, reading_.file,
          reading_.from || reading_.to ? "has no frame from --seek to --to" : "has no frame");
    }
    span_ = span;
  }
}

Span ReadAhead::read_round(std::uint64_t round) {
  file_->rewind();
  Span span;
  Moment before{};
  Moment shift{};
  for (std::uint64_t index = 0; auto frame = file_->next(); ++index) {
    const Moment moment = reading_.time_line.moment_of(*frame, index, reading_.file);
    if (seen_from(reading_.from, "--seek", *frame, moment) < 0) {
      continue;
    }
    if (seen_from(reading_.to, "--to", *frame, moment) > 0) {
      break;
    }
    Frame* const place = room();
    if (place == nullptr) {
      break;
    }
    place->pixels.resize(file_->stream().frame_bytes());
    file_->read(place->pixels);
    if (span.frames == 0) {
      frame->missed = 0;  // what lacks before the first of them is no gap in what is played
    } else if (moment < before) {
      shift += before - moment;  // a clock that was set back: the time line goes on
    }
    before = moment;
    span.last = moment + shift;
    span.first = span.frames++ == 0 ? span.last : span.first;
    place->frame = *std::move(frame);
    place->moment = span.last;
    place->round = round;
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  return span;
}

std::strong_ordering ReadAhead::seen_from(const std::optional<Place>& place,
                                          std::string_view option, const RecordedFrame& frame,
                                          Moment moment) const {
  if (!place) {
    return std::strong_ordering::equal;
  }
  if (const auto* cnt0 = std::get_if<std::uint64_t>(&*place)) {
    return frame.info.cnt0 <=> *cnt0;
  }
  if (const auto* offset = std::get_if<std::chrono::nanoseconds>(&*place)) {
    return moment - reading_.origin <=> *offset;
  }
  const Tai date = date_of(frame);
  if (date == never) {
    refuse_timeless(reading_.file, frame,
                    fmt::format("{} takes a cnt0 or an offset there", option));
  }
  return date <=> std::get<Tai>(*place);
}

}  // namespace shmim::tools
