#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "common/app/context.hpp"
#include "common/print/json.hpp"

namespace shmim::tools {

/// What is said by the threads of a run, one after the other, and past the line that shows on a
/// terminal how it goes. Thread-safe.
class Reporter {
 public:
  Reporter(const Context& context, bool shows_progress)
      : context_(context), shows_progress_(shows_progress) {}

  /// A line on standard error, unless --quiet.
  void note(std::string_view subject, const std::string& message);
  /// The same with --verbose alone.
  void detail(std::string_view subject, const std::string& message);
  /// With --json, a line on standard output.
  void tell(const Record& event);
  /// Prints an error as all errors are printed; gives the exit status.
  Exit report(const Error& error);
  /// Shows a line in the place of the one before, where that is wanted.
  void show(const std::string& line);
  [[nodiscard]] bool shows_progress() const noexcept { return shows_progress_; }

 private:
  const Context& context_;
  bool shows_progress_;
  std::mutex mutex_;
};

}  // namespace shmim::tools
