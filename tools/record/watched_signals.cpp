#include "record/watched_signals.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace shmim::tools {
namespace {

std::array<std::atomic<bool>, NSIG> came{};
static_assert(std::atomic<bool>::is_always_lock_free);

void note_signal(int signal) noexcept { came[static_cast<std::size_t>(signal)] = true; }

}  // namespace

void watch_signals(const std::vector<int>& signals) noexcept {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;  // what is written goes on
  for (const int signal : signals) {
    ::sigaction(signal, &action, nullptr);
  }
}

bool take_signal(int signal) noexcept {
  return came[static_cast<std::size_t>(signal)].exchange(false);
}

}  // namespace shmim::tools
