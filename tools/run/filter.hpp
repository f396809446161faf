#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/shmim.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// A filter that is no use any more: it ended, or its answer did not come or was none.
struct FilterFailed {
  std::string why;
  bool is_failure = true;  ///< false where it ended by itself with status 0
  bool is_late = false;    ///< its answer did not come in time
};

/// How a filter is run.
struct FilterOptions {
  std::vector<std::string> command;
  bool answers = true;             ///< what it writes is read here, and is not our own output
  std::size_t question_bytes = 0;  ///< of a frame that it is given
  std::size_t answer_bytes = 0;
  std::optional<std::chrono::nanoseconds> timeout;  ///< for an answer
  std::optional<unsigned> processor;                ///< that it runs on
  /// Called once, when an answer has not come for two seconds: with how many bytes of it came.
  std::function<void(std::size_t came)> on_silence;
};

/// Variables that a filter finds in its environment beside ours.
using Variables = std::map<std::string, std::string>;

/// A process that is given one frame after the other on its standard input, and answers each on its
/// standard output. It has a process group of its own, which ends with it.
class Filter {
 public:
  explicit Filter(FilterOptions options) : options_(std::move(options)) {}
  Filter(const Filter&) = delete;
  Filter(Filter&&) = delete;
  Filter& operator=(const Filter&) = delete;
  Filter& operator=(Filter&&) = delete;
  /// Kills it.
  ~Filter();

  /// Throws Error (failed) if the command cannot be run.
  void start(const Variables& variables);
  [[nodiscard]] bool is_running() const noexcept { return pid_ > 0; }
  /// It has ended by itself, or closed its output.
  [[nodiscard]] bool has_ended() const noexcept;

  /// What it has written by now, as much as fits at most. Does not block.
  [[nodiscard]] std::size_t read_now(std::span<std::byte> room) noexcept;
  /// Begins to write a frame to it; the rest is written while the answer is read.
  void ask(std::span<const std::byte> head, std::span<const std::byte> pixels);
  /// Reads what it answers, as much as fits at most; 0 at the end. Blocks until then. Throws
  /// FilterFailed (no answer in time), Interrupted.
  [[nodiscard]] std::size_t read_some(std::span<std::byte> room);
  /// Blocks until it has read all of the frame, or has closed its input. Throws as read_some().
  void finish_asking();
  /// Gives it no more frames, and waits until it has ended. Throws FilterFailed unless it exits
  /// with 0 in time, Interrupted.
  void finish();
  /// What became of it, now that it has closed its output; kills it if it has not ended.
  [[nodiscard]] FilterFailed end();
  /// Gives it no more frames, and a second to end by itself (a signal at once if `by_signal`), and
  /// another after SIGTERM; then kills it.
  void stop(bool by_signal) noexcept;

 private:
  void write_on() noexcept;
  [[nodiscard]] bool is_asking() const noexcept { return !head_.empty() || !pixels_.empty(); }
  void await(bool output);
  [[nodiscard]] std::optional<int> reap(std::chrono::nanoseconds patience) const noexcept;
  void close() noexcept;

  FilterOptions options_;
  pid_t pid_ = 0;
  FileDescriptor input_;
  FileDescriptor output_;
  FileDescriptor process_;             ///< readable once it has ended
  std::span<const std::byte> head_;    ///< still to be written
  std::span<const std::byte> pixels_;  ///< still to be written, behind it
  Deadline deadline_;
  Deadline silence_;      ///< when there is something to say; nullopt once it was said
  std::size_t came_ = 0;  ///< bytes of this answer
};

}  // namespace shmim::tools
