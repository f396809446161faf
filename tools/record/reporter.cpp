#include "record/reporter.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/io/stdout.hpp"

namespace shmim::tools {

void Reporter::note(std::string_view subject, const std::string& message) {
  show({});
  const std::lock_guard lock(mutex_);
  context_.note(subject, message);
}

void Reporter::detail(std::string_view subject, const std::string& message) {
  const std::lock_guard lock(mutex_);
  context_.detail(subject, message);
}

void Reporter::tell(const Record& event) {
  if (context_.json()) {
    const std::lock_guard lock(mutex_);
    write_stdout(to_json_line(event));
  }
}

Exit Reporter::report(const Error& error) {
  show({});
  const std::lock_guard lock(mutex_);
  return context_.report(error);
}

void Reporter::show(const std::string& line) {
  constexpr const char* clear_line = "\r\033[K";
  if (shows_progress_) {
    const std::lock_guard lock(mutex_);
    fmt::print(stderr, "{}{}", clear_line, line);
  }
}

}  // namespace shmim::tools
