#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// What --on names: what has held frames written.
struct Triggers {
  struct OfKeyword {
    std::string text;  ///< as it was given
    KeywordCondition condition;
  };
  struct OfTime {
    std::string text;
    std::chrono::nanoseconds limit{};
  };
  std::vector<int> signals;
  bool lost = false;
  std::vector<OfKeyword> keywords;
  std::vector<OfTime> stopped;
  std::vector<OfTime> budgets;
  std::vector<unsigned> semaphores;

  /// Something must be looked at while no frame comes.
  [[nodiscard]] bool need_looks() const noexcept {
    return !keywords.empty() || !stopped.empty() || !semaphores.empty();
  }
};

/// Throws UsageError.
[[nodiscard]] Triggers parse_triggers(const std::vector<std::string>& texts);

/// `SIGUSR1`
[[nodiscard]] std::string signal_name(int signal);

}  // namespace shmim::tools
