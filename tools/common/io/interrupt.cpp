#include "common/io/interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>

#include <unistd.h>

#include "common/io/exit.hpp"

namespace shmim::tools {

namespace {

/// Set in a handler, in whatever thread, and looked at in all of them.
std::atomic<int> last_signal = 0;
std::atomic<int> signals = 0;
static_assert(std::atomic<int>::is_always_lock_free);

/// A signal that comes just before a system call blocks would not be noticed until the call
/// returns: so once one has come, an alarm ends whatever blocks, every second.
void on_signal(int signal) noexcept {
  if (signal != SIGALRM) {
    last_signal = signal;
    ++signals;
  }
  alarm(1);
}

}  // namespace

void install_signal_handlers() noexcept {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: blocking calls return
  for (const int signal : {SIGINT, SIGTERM, SIGALRM}) {
    sigaction(signal, &action, nullptr);
  }
  // A write that fails lets us give back what we have claimed, and say what is wrong.
  action.sa_handler = SIG_IGN;
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() noexcept { return last_signal != 0; }

int received_signal() noexcept { return last_signal; }

int received_signals() noexcept { return signals; }

void throw_if_interrupted() {
  if (interrupted()) {
    throw Interrupted{};
  }
}

timespec timespec_of(std::chrono::nanoseconds time) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

void sleep_until(std::chrono::steady_clock::time_point time) {
  const timespec until = timespec_of(time.time_since_epoch());
  do {
    throw_if_interrupted();
  } while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR);
}

}  // namespace shmim::tools
