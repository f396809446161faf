#include "shmim/description.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "shmim/directory.hpp"
#include "shmim/process.hpp"

namespace shmim {
namespace {

/// How long to wait for a writer in mid-frame: counters and times of one frame are nice to have,
/// and a thousand streams must be described in a blink.
constexpr std::chrono::milliseconds patience{1};

/// A trace that is older than the frame by more than this is not of whoever wrote the frame: a
/// program that writes no trace came after.
constexpr std::chrono::nanoseconds stale_trace = std::chrono::seconds{1};

pid_t poster_of(const std::vector<SemaphoreState>& semaphores) noexcept {
  // A saturated semaphore still has the PID of whoever posted it up to there.
  for (const bool is_saturated : {false, true}) {
    for (const SemaphoreState& semaphore : semaphores) {
      if (semaphore.saturated == is_saturated && semaphore.poster.pid > 0) {
        return semaphore.poster.pid;
      }
    }
  }
  return 0;
}

pid_t writer_of(const Stream& stream, const Description& description) noexcept {
  const pid_t poster = poster_of(description.semaphores);
  const auto newest = stream.trace().newest();
  if (!newest) {
    return poster;
  }
  const bool is_stale =
      newest->written && elapsed(*newest->written, description.written()) > stale_trace;
  return is_stale && poster != 0 ? poster : newest->pid;
}

/// When the file was made, in UTC. A file system that does not know tells when it was last written,
/// which on tmpfs is when its size was set.
Tai file_created(const std::filesystem::path& path) noexcept {
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BTIME | STATX_MTIME, &status) != 0) {
    return never;
  }
  const auto& time = (status.stx_mask & STATX_BTIME) != 0 ? status.stx_btime : status.stx_mtime;
  return Tai{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

void describe_open(const Stream& stream, ProcessTable& processes, Description& description) {
  description.identity = stream.identity();
  description.file_bytes = stream.file_bytes();
  description.format = stream.format();
  const Snapshot snapshot = stream.snapshot_trace(description.trace, deadline_after(patience));
  description.state = snapshot.state;
  description.header = stream.metadata();
  if (snapshot.state == FrameState::whole) {
    description.header.cnt0 = snapshot.info.cnt0;
    description.header.cnt1 = snapshot.info.cnt1;
    description.header.atime = to_timespec(snapshot.info.atime);
    description.header.writetime = to_timespec(snapshot.info.writetime);
  } else {
    description.trace = stream.trace().entries();
  }
  description.trace.resize(chain_of(description.trace).size());
  const Semaphores semaphores = stream.semaphores();
  description.semaphores.reserve(semaphores.count());
  for (unsigned index = 0; index < semaphores.count(); ++index) {
    const int value = semaphores.value(index);
    description.semaphores.push_back({value, value >= layout::semaphore_max,
                                      processes.look_up(semaphores.reader(index)),
                                      processes.look_up(semaphores.poster(index)),
                                      semaphores.control(index), semaphores.status(index)});
  }
  description.log_semaphore = semaphores.log_value();
  description.keywords = stream.keywords().all();
  description.writer = processes.look_up(writer_of(stream, description));
  description.creator = processes.look_up(description.header.creator_pid);
  constexpr pid_t no_process = 1;
  if (description.header.owner_pid != no_process) {
    description.owner = processes.look_up(description.header.owner_pid);
  }
  description.claimer = processes.look_up(stream.claimed_by());
  description.clock = clock_of(stream);
  description.looked = now_on(description.clock);
}

}  // namespace

const Process& ProcessTable::look_up(pid_t pid) {
  const auto [entry, is_new] = known_.try_emplace(std::max(pid, 0));
  if (is_new && pid > 0) {
    const bool alive = is_alive(pid);
    entry->second = {pid, alive, alive ? command_of(pid) : std::string()};
  }
  return entry->second;
}

StampClock clock_of(Tai created, Tai file_created, std::chrono::seconds offset) noexcept {
  if (offset == std::chrono::seconds{0}) {
    return StampClock::same;
  }
  const auto is_close = [](Tai a, Tai b) {
    constexpr std::chrono::nanoseconds margin = std::chrono::milliseconds{1500};
    return elapsed(a, b) < margin && elapsed(b, a) < margin;
  };
  if (is_close(created, file_created + offset)) {
    return StampClock::tai;
  }
  return is_close(created, file_created) ? StampClock::utc : StampClock::unknown;
}

StampClock clock_of(const Stream& stream) noexcept {
  const auto offset = tai_offset();
  return offset == std::chrono::seconds{0}
             ? StampClock::same
             : clock_of(stream.created(), file_created(stream.path()), offset);
}

Tai on_tai(Tai stamp, StampClock clock) noexcept {
  // Wraps on nonsense, where + would overflow.
  return clock == StampClock::utc && stamp != never
             ? Tai{elapsed(Tai{-std::chrono::nanoseconds(tai_offset())}, stamp)}
             : stamp;
}

Tai now_on(StampClock clock) noexcept {
  return clock == StampClock::utc ? TaiClock::now() - tai_offset() : TaiClock::now();
}

std::string to_utc(Tai stamp, StampClock clock) { return to_utc(on_tai(stamp, clock)); }

bool Description::is_dangling() const noexcept {
  return unreadable && unreadable->problem == Problem::dangling_link;
}

std::optional<std::chrono::nanoseconds> Description::age(Tai stamp) const noexcept {
  return stamp == never ? std::nullopt : std::optional(elapsed(stamp, looked));
}

std::vector<Process> Description::readers() const {
  std::vector<Process> readers;
  for (const SemaphoreState& semaphore : semaphores) {
    const bool is_known = std::any_of(readers.begin(), readers.end(), [&](const Process& known) {
      return known.pid == semaphore.reader.pid;
    });
    if (semaphore.reader.alive && !is_known) {
      readers.push_back(semaphore.reader);
    }
  }
  return readers;
}

unsigned Description::saturated() const noexcept {
  return static_cast<unsigned>(
      std::count_if(semaphores.begin(), semaphores.end(),
                    [](const SemaphoreState& semaphore) { return semaphore.saturated; }));
}

Description describe(const std::filesystem::path& path, ProcessTable& processes) {
  Description description;
  description.name = stream_name(path);
  description.path = path;
  std::error_code not_a_link;
  if (const auto target = std::filesystem::read_symlink(path, not_a_link); !not_a_link) {
    description.target = target.string();
  }
  try {
    describe_open(Stream::open(path, Access::read), processes, description);
  } catch (const Error& error) {
    description.unreadable = {error.problem(), error.why()};
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      description.identity = {status.st_dev, status.st_ino};
      description.file_bytes = static_cast<std::uint64_t>(status.st_size);
    }
  }
  return description;
}

Description describe(const Stream& stream, ProcessTable& processes) {
  Description description;
  description.name = stream.name();
  description.path = stream.path();
  std::error_code not_a_link;
  if (const auto target = std::filesystem::read_symlink(stream.path(), not_a_link); !not_a_link) {
    description.target = target.string();
  }
  describe_open(stream, processes, description);
  return description;
}

}  // namespace shmim
