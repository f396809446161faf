#include "record/flight_recorder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/print/words.hpp"
#include "record/recorder.hpp"
#include "record/watched_signals.hpp"

namespace shmim::tools {

using std::chrono::steady_clock;

FlightRecorder::FlightRecorder(const WantedFlight& wanted, std::deque<Recorder>& recorders,
                               Reporter& reporter)
    : wanted_(wanted), recorders_(recorders), reporter_(reporter) {}

void FlightRecorder::report(const std::string& what, const std::string& stream,
                            const std::string& why) {
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  const bool goes_on = now < until_;
  if (!goes_on && wanted_.most && count_ == *wanted_.most) {
    return;
  }
  const RecordedTrigger trigger{what, stream, TaiClock::now()};
  if (goes_on) {
    ++event_->others;
  } else {
    ++count_;
    event_ = std::make_shared<FlightEvent>(trigger);
  }
  constexpr std::chrono::seconds usual{1};
  until_ = now + wanted_.after.value_or(usual);
  std::size_t held = 0;
  for (const Recorder& recorder : recorders_) {
    held += recorder.held();
  }
  say(trigger, why, goes_on, held);  // before all that is said of the files
  for (Recorder& recorder : recorders_) {
    recorder.release(event_, until_);
  }
}

/// What makes an event longer is told of where all is told: it may be every frame.
void FlightRecorder::say(const RecordedTrigger& seen, const std::string& why, bool goes_on,
                         std::size_t held) {
  const bool is_of_stream = !seen.stream.empty();
  const std::string& subject = is_of_stream ? seen.stream : seen.what;
  const std::string text = is_of_stream ? fmt::format("{}: {}", seen.what, why) : why;
  if (goes_on) {
    reporter_.detail(subject, text);
  } else {
    reporter_.note(subject, fmt::format("{}; {} held", text, counted(held, "frame")));
  }
  reporter_.tell({{"event", "trigger"},
                  {"name", seen.stream},
                  {"trigger", seen.what},
                  {"why", why},
                  {"held", held},
                  {"goes_on", goes_on}});
}

void FlightRecorder::look_at_signals(const Triggers& triggers) {
  for (const int signal : triggers.signals) {
    if (take_signal(signal)) {
      report(signal_name(signal), "", "came");
    }
  }
}

void FlightRecorder::resume(Recorder& recorder) const {
  const std::lock_guard lock(mutex_);
  if (steady_clock::now() < until_) {
    recorder.release(event_, until_);
  }
}

bool FlightRecorder::is_over() const {
  const std::lock_guard lock(mutex_);
  return wanted_.most && count_ == *wanted_.most && steady_clock::now() >= until_;
}

}  // namespace shmim::tools
