#include "shmim/stale.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>

#include "shmim/error.hpp"
#include "shmim/file.hpp"
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

/// The only one that has a file open, and that will have it open for as long as the lease is held:
/// others wait in open() until then.
class Lease {
 public:
  explicit Lease(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    // Who opens the file meanwhile is announced to us by a signal: one that is ignored.
    if (file_.get() < 0 || ::fcntl(file_.get(), F_SETSIG, SIGURG) != 0 ||
        ::fcntl(file_.get(), F_SETLEASE, F_WRLCK) != 0) {
      error_ = errno;
    }
  }
  /// 0 if it was granted.
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  FileDescriptor file_;
  int error_ = 0;
};

std::string why_not_known(int error) {
  return error == EACCES || error == EPERM
             ? std::string("only its owner and root can find out whether it is in use")
             : fmt::format("the system does not tell whether it is in use: {}",
                           std::generic_category().message(error));
}

std::optional<InUse> use_by_names(const std::filesystem::path& path) {
  try {
    const Stream stream = Stream::open(path, Access::read);
    if (const pid_t process = living_process_in(stream); process != 0) {
      return InUse{InUse::Why::names_process, process};
    }
  } catch (const Error&) {
    // It is no stream: then it names nobody.
  }
  return std::nullopt;
}

std::optional<InUse> use_by_lease(const std::filesystem::path& path, const Lease& lease,
                                  const HolderTable* holders) {
  switch (lease.error()) {
    case 0:
    case ENOENT:  // it is gone, or a link that leads nowhere
      return std::nullopt;
    case EAGAIN:
      break;
    default:
      return InUse{InUse::Why::not_known, 0, why_not_known(lease.error())};
  }
  InUse use{InUse::Why::is_open};
  const auto identity = identity_of(path);
  if (holders != nullptr && identity) {
    const auto processes = holders->holders_of(*identity).processes;
    use.process = processes.empty() ? 0 : processes.front();
  }
  return use;
}

}  // namespace

std::string to_string(const InUse& use) {
  switch (use.why) {
    case InUse::Why::names_process:
      return fmt::format("process {} made, owns or writes it", describe_process(use.process));
    case InUse::Why::is_open:
      return use.process == 0
                 ? std::string("a process that we do not see has it open")
                 : fmt::format("process {} has it open", describe_process(use.process));
    case InUse::Why::not_known:
      break;
  }
  return use.reason;
}

std::optional<InUse> find_use(const std::filesystem::path& path, const HolderTable* holders) {
  const auto use = use_by_names(path);
  return use ? use : use_by_lease(path, Lease(path), holders);
}

std::optional<InUse> remove_if_stale(const std::filesystem::path& path, Identity expected) {
  if (auto use = use_by_names(path)) {
    return use;
  }
  const Lease lease(path);
  if (auto use = use_by_lease(path, lease, nullptr)) {
    return use;
  }
  if (!remove_if_same(path, expected)) {
    throw Error(Problem::failed, stream_name(path), "was re-created meanwhile, and is left alone");
  }
  return std::nullopt;
}

}  // namespace shmim
