#include "shmim/stale.hpp"

#include <vector>

#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/process.hpp"
#include "shmim/stream.hpp"

namespace shmim {
namespace {

/// PID of a living process that the stream names; 0 if there is none.
pid_t living_process_in(const Stream& stream) {
  std::vector<pid_t> pids{stream.creator(), stream.owner()};
  pids.push_back(stream.trace().newest().value_or(TraceEntry{}).pid);
  for (unsigned index = 0; index < stream.semaphores().count(); ++index) {
    pids.push_back(stream.semaphores().poster(index));
  }
  for (const pid_t pid : pids) {
    if (pid > 1 && is_alive(pid)) {  // 1: belongs to no process
      return pid;
    }
  }
  return 0;
}

std::optional<InUse> use_of(const std::filesystem::path& path, const HolderTable* looked) {
  std::optional<Identity> identity;
  try {
    const Stream stream = Stream::open(path, Access::read);
    identity = stream.identity();
    if (const pid_t process = living_process_in(stream); process != 0) {
      return InUse{InUse::Why::names_process, process, 0};
    }
  } catch (const Error& error) {
    if (error.problem() == Problem::dangling_link) {
      return std::nullopt;
    }
    identity = identity_of(path);
  }
  if (!identity) {
    return std::nullopt;
  }
  const bool is_covered = looked != nullptr && looked->covers(*identity);
  const Holders found = is_covered ? looked->holders_of(*identity) : holders_of(*identity);
  if (!found.processes.empty()) {
    return InUse{InUse::Why::is_open, found.processes.front(), 0};
  }
  if (!found.unknown.empty()) {
    return InUse{InUse::Why::may_be_open, 0, found.unknown.size()};
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(const InUse& use) {
  switch (use.why) {
    case InUse::Why::names_process:
      return fmt::format("process {} made, owns or writes it", describe_process(use.process));
    case InUse::Why::is_open:
      return fmt::format("process {} has it open", describe_process(use.process));
    case InUse::Why::may_be_open:
      break;
  }
  return fmt::format("{} process{} that we may not look into may have it open", use.unknown,
                     use.unknown == 1 ? "" : "es");
}

std::optional<InUse> find_use(const std::filesystem::path& path) { return use_of(path, nullptr); }

std::optional<InUse> find_use(const std::filesystem::path& path, const HolderTable& holders) {
  return use_of(path, &holders);
}

}  // namespace shmim
