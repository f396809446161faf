#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

#include "record/triggers.hpp"

namespace shmim::tools {

/// Looks whether one of the triggers happened in a stream. Not thread-safe.
class TriggerWatch {
 public:
  /// Told of what happened: the trigger as it was given, and why.
  using Report = std::function<void(const std::string& what, const std::string& why)>;

  TriggerWatch(const Triggers& triggers, Report report);

  /// Looks at that stream from now on, which may have come in the place of another. Claims the
  /// semaphores that are triggers; throws Error (claimed, not_ours_to_write, usage).
  void begin(const Stream& stream);
  /// At a frame that was taken, after it is held.
  void look_at(const Stream& stream, const TakenFrame& frame);
  /// Where none has come for a while.
  void look_between(const Stream& stream);

 private:
  struct WatchedKeyword {
    const Triggers::OfKeyword* trigger;
    std::optional<Keyword> before;
    bool holds = false;
  };
  struct WatchedSilence {
    const Triggers::OfTime* trigger;
    bool is_told = false;
  };
  void look_at_keywords(const Stream& stream);
  void look_at_posts(const Stream& stream);

  const Triggers& triggers_;
  Report report_;
  std::vector<WatchedKeyword> keywords_;
  std::vector<WatchedSilence> silences_;
  std::vector<SemaphoreClaim> claims_;
  bool has_begun_ = false;
  std::optional<std::chrono::steady_clock::time_point> last_frame_;
  std::uint64_t last_cnt0_ = 0;
};

}  // namespace shmim::tools
