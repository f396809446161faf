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
/// Who plays has nothing to do until there is a frame.
constexpr std::chrono::microseconds looks_every{200};

/// When a frame was written, or else acquired, in the TAI of this machine; never where nobody says.
Tai date_of(const RecordedFrame& frame, std::chrono::seconds tai_ahead) {
  return is_date(frame.info.writetime) ? frame.info.writetime - tai_ahead
         : is_date(frame.info.atime)   ? frame.info.atime - tai_ahead
                                       : never;
}

[[noreturn]] void refuse_timeless(const std::string& file, const RecordedFrame& frame,
                                  std::string_view advice) {
  throw Error(Problem::usage, file,
              fmt::format("frame {} has no time: {}", frame.info.cnt0, advice));
}

}  // namespace

Moment TimeLine::moment_of(const RecordedFrame& frame, std::uint64_t index,
                           std::chrono::seconds tai_ahead, const std::string& file) const {
  if (rate) {
    return Moment{static_cast<std::int64_t>(static_cast<double>(index) * 1e9 / *rate)};
  }
  const Tai date = date_of(frame, tai_ahead);
  if (date == never) {
    refuse_timeless(file, frame, "say how fast with --rate HZ");
  }
  return date.time_since_epoch();
}

ReadAhead::ReadAhead(std::unique_ptr<Playable> file, WantedFrames wanted)
    : file_(std::move(file)), wanted_(std::move(wanted)) {
  ring_.resize(std::clamp<std::size_t>(wanted_.memory / file_->stream().frame_bytes(), least_frames,
                                       most_frames));
  // Signals are for the thread that plays.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ReadAhead::~ReadAhead() {
  is_given_up_ = true;
  wake();
  thread_.join();
}

void ReadAhead::wake() {
  ++wakes_;
  wakes_.notify_one();
}

void ReadAhead::fill() {
  while (!is_at_end_ && count_ < ring_.size()) {
    sleep_until(std::chrono::steady_clock::now() + looks_every);
  }
}

const ReadAhead::Frame* ReadAhead::front(bool& waited) {
  // In this order: nothing is read once the end is told.
  waited = !is_at_end_ && count_ == 0;
  while (!is_at_end_ && count_ == 0) {
    sleep_until(std::chrono::steady_clock::now() + looks_every);
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
  first_ = (first_ + 1) % ring_.size();
  if (--count_ == ring_.size() * 3 / 4) {
    wake();
  }
}

std::optional<Span> ReadAhead::span() const { return has_span_ ? span_ : std::nullopt; }

ReadAhead::Frame* ReadAhead::room() {
  if (count_ == ring_.size()) {
    // Once it is full a good deal of it is read at a time, since to be woken up for each frame
    // would get in the way of who plays.
    for (;;) {
      const std::uint32_t wakes = wakes_;
      if (is_given_up_ || count_ <= ring_.size() * 3 / 4) {
        break;
      }
      wakes_.wait(wakes);
    }
  }
  return is_given_up_ ? nullptr : &ring_[next_];
}

void ReadAhead::run() noexcept {
  try {
    if (wanted_.processor) {
      run_on_processor(*wanted_.processor);
    }
    read_all();
  } catch (...) {
    error_ = std::current_exception();
  }
  is_at_end_ = true;
}

void ReadAhead::read_all() {
  for (std::uint64_t round = 0; round == 0 || wanted_.loops; ++round) {
    const Span span = read_round(round);
    if (is_given_up_) {
      return;
    }
    if (span.frames == 0) {
      throw Error(Problem::failed, wanted_.file,
                  wanted_.from || wanted_.to ? "has no frame from --seek to --to" : "has no frame");
    }
    if (round == 0) {
      span_ = span;
      has_span_ = true;
    }
  }
}

Span ReadAhead::read_round(std::uint64_t round) {
  file_->rewind();
  Span span;
  Moment before{};
  Moment shift{};
  for (std::uint64_t index = 0; auto frame = file_->next(); ++index) {
    const Moment moment =
        wanted_.time_line.moment_of(*frame, index, file_->tai_ahead(), wanted_.file);
    if (std::is_lt(seen_from(wanted_.from, "--seek", *frame, moment))) {
      continue;
    }
    if (std::is_gt(seen_from(wanted_.to, "--to", *frame, moment))) {
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
    place->frame = std::exchange(*frame, {});
    place->moment = span.last;
    place->round = round;
    next_ = (next_ + 1) % ring_.size();
    ++count_;
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
    return moment - wanted_.origin <=> *offset;
  }
  const Tai date = date_of(frame, file_->tai_ahead());
  if (date == never) {
    refuse_timeless(wanted_.file, frame, fmt::format("{} takes a cnt0 or an offset there", option));
  }
  return date <=> std::get<Tai>(*place);
}

}  // namespace shmim::tools
