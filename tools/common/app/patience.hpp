#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <shmim/clock.hpp>
#include <shmim/follow.hpp>

namespace shmim::tools {

class Context;
struct Option;
class Options;

/// How long to wait for frames: `-t` for each, and `--for` for all of them together.
class Patience {
 public:
  /// Declares -t, --timeout and --for, which mean something with the option `needed` alone.
  void declare(Options& options, const Option* needed = nullptr,
               std::string timeout_help = "give up when no frame comes for so long");

  /// The time that --for gives begins.
  void begin() noexcept { end_ = deadline_after(whole_); }
  /// When waiting for the next frame ends.
  [[nodiscard]] Deadline next() const noexcept;
  /// What `wait(next())` gives, unless the time of --for is over: then nothing has come, whatever
  /// there is.
  template <class Wait>
  [[nodiscard]] Arrival wait(const Wait& wait) const {
    return is_over() ? Arrival::timed_out : wait(next());
  }
  [[nodiscard]] std::optional<std::chrono::nanoseconds> timeout() const noexcept {
    return timeout_;
  }
  /// When the time of --for ends.
  [[nodiscard]] Deadline end_of_all() const noexcept { return end_; }
  /// --for was given.
  [[nodiscard]] bool has_end() const noexcept { return whole_.has_value(); }

  /// Ends a wait that brought no `what` (frame or post). Throws TimedOut with a message, which
  /// tells what is `lacking` when the time of --for is over, Interrupted, BrokenPipe, or Error
  /// (removed, mismatch). Returns where nothing is lacking then: to go on for that time is what was
  /// asked for.
  void end(const Context& context, Arrival arrival, const Follower& follower,
           const std::optional<std::string>& lacking, std::string_view what = "frame") const;
  /// The end of a wait on the stream `name` that nothing but time has ended: as end(). `seen` is
  /// the cnt0 of the last frame that came, where that can be said.
  void give_up(const Context& context, const std::string& name, std::optional<std::uint64_t> seen,
               const std::optional<std::string>& lacking, std::string_view what = "frame") const;
  /// What is lacking where `wanted` were to come; nullopt where no number was named.
  [[nodiscard]] static std::optional<std::string> lacking(std::uint64_t came,
                                                          std::optional<std::uint64_t> wanted,
                                                          std::string_view what = "frame");

 private:
  [[nodiscard]] bool is_over() const noexcept;
  std::optional<std::chrono::nanoseconds> timeout_;
  std::optional<std::chrono::nanoseconds> whole_;
  Deadline end_;
};

}  // namespace shmim::tools
