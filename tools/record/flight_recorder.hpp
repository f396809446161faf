#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <shmim/recording.hpp>

#include "record/reporter.hpp"
#include "record/triggers.hpp"

namespace shmim::tools {

/// What the command line says of events.
struct WantedFlight {
  std::optional<std::chrono::nanoseconds> after;  ///< how much of what follows; 1 s
  std::optional<std::uint64_t> most;
};

/// Something happened, and what was held of all streams is written. What happens while it goes on
/// makes it longer.
struct FlightEvent : RecordedTrigger {
  explicit FlightEvent(const RecordedTrigger& seen) : RecordedTrigger(seen) {}
  std::atomic<std::uint64_t> others = 0;  ///< that happened while it went on
};

class Recorder;

/// The events of a run, which are those of all its streams. Thread-safe.
class FlightRecorder {
 public:
  FlightRecorder(const WantedFlight& wanted, std::deque<Recorder>& recorders, Reporter& reporter);

  /// It happened, in that stream or in none. Called by those that watch.
  void report(const std::string& what, const std::string& stream, const std::string& why);
  /// Reports the signals that have come.
  void look_at_signals(const Triggers& triggers);
  /// Where an event goes on, it does so of that stream, which has come anew.
  void resume(Recorder& recorder) const;

  [[nodiscard]] std::uint64_t events() const noexcept { return count_; }
  /// There were as many as there may be, and the last is over.
  [[nodiscard]] bool is_over() const;

 private:
  void say(const RecordedTrigger& seen, const std::string& why, bool goes_on, std::size_t held);

  WantedFlight wanted_;
  std::deque<Recorder>& recorders_;
  Reporter& reporter_;
  std::atomic<std::uint64_t> count_ = 0;
  mutable std::mutex mutex_;  ///< of what follows
  std::shared_ptr<FlightEvent> event_;
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::time_point::min();
};

}  // namespace shmim::tools
