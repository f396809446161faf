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

/// Who posted last; a saturated semaphore still has the PID of whoever posted it up to there.
pid_t poster_of(const Semaphores& semaphores) {
  for (const bool is_saturated : {false, true}) {
    for (unsigned index = 0; index < semaphores.count(); ++index) {
      if ((semaphores.value(index) >= layout::semaphore_max) == is_saturated &&
          semaphores.poster(index) > 0) {
        return semaphores.poster(index);
      }
    }
  }
  return 0;
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
    // What is no date stands there as it was read just now.
    if (snapshot.info.atime != out_of_range) {
      description.header.atime = to_timespec(snapshot.info.atime);
    }
    if (snapshot.info.writetime != out_of_range) {
      description.header.writetime = to_timespec(snapshot.info.writetime);
    }
  } else {
    description.trace = stream.trace().entries();
  }
  description.written = stream.written();
  const FrameWriter writer = writer_of(stream, description.trace);
  description.is_traced = writer.is_traced;
  description.writer = processes.look_up(writer.pid, stream);
  description.trace.resize(chain_of(description.trace).size());
  const Semaphores semaphores = stream.semaphores();
  description.semaphores.reserve(semaphores.count());
  for (unsigned index = 0; index < semaphores.count(); ++index) {
    const int value = semaphores.value(index);
    description.semaphores.push_back({value, value >= layout::semaphore_max,
                                      processes.look_up(semaphores.reader(index), stream),
                                      processes.look_up(semaphores.poster(index), stream),
                                      semaphores.control(index), semaphores.status(index)});
  }
  description.log_semaphore = semaphores.log_value();
  description.keywords = stream.keywords().all();
  description.creator = processes.look_up(description.header.creator_pid);
  constexpr pid_t no_process = 1;
  if (description.header.owner_pid != no_process) {
    description.owner = processes.look_up(description.header.owner_pid);
  }
  description.claimer = processes.look_up(stream.claimed_by(), stream);
  description.clock = clock_of(stream);
  description.looked = now_on(description.clock);
}

}  // namespace

FrameWriter writer_of(const Stream& stream, std::span<const TraceEntry> trace) {
  const pid_t poster = poster_of(stream.semaphores());
  if (trace.empty()) {
    return {poster, false};
  }
  const TraceEntry& newest = trace.front();
  // Some stamp their step of the trace before they stamp the frame, but not by as much as this.
  constexpr std::chrono::nanoseconds margin = std::chrono::milliseconds{10};
  const FrameInfo frame = stream.newest();
  const bool is_older =
      newest.written &&
      elapsed(*newest.written, std::max(frame.writetime, frame.accesstime)) > margin;
  return is_older && poster != 0 && poster != newest.pid ? FrameWriter{poster, false}
                                                         : FrameWriter{newest.pid, true};
}

ProcessTable::ProcessTable(const std::vector<Process>& told) : is_told_(true) {
  for (const Process& process : told) {
    known_.emplace(process.pid, process);
  }
}

std::vector<Process> ProcessTable::known() const {
  std::vector<Process> processes;
  for (const auto& [pid, process] : known_) {
    if (pid > 0) {
      processes.push_back(process);
    }
  }
  return processes;
}

const Process& ProcessTable::look_up(pid_t pid) {
  const auto [entry, is_new] = known_.try_emplace(std::max(pid, 0));
  if (is_new && pid > 0 && is_told_) {
    entry->second = {pid, Liveness::unknown, {}};
    return entry->second;
  }
  if (is_new && pid > 0) {
    const bool is_seen = is_alive(pid);
    entry->second = {pid, is_seen ? Liveness::alive : Liveness::dead,
                     is_seen ? command_of(pid) : std::string()};
  }
  return entry->second;
}

const Process& ProcessTable::look_up(pid_t pid, const Stream& stream) {
  if (look_up(pid).is_dead() && pid > 0 && !is_told_) {
    known_.at(pid).liveness = stream.liveness_of(pid);
  }
  return known_.at(std::max(pid, 0));
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
  return clock == StampClock::utc && is_date(stamp)
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
  return is_date(stamp) ? std::optional(elapsed(stamp, looked)) : std::nullopt;
}

std::vector<Process> Description::readers() const {
  std::vector<Process> readers;
  for (const SemaphoreState& semaphore : semaphores) {
    const bool is_known = std::any_of(readers.begin(), readers.end(), [&](const Process& known) {
      return known.pid == semaphore.reader.pid;
    });
    if (!semaphore.reader.is_dead() && !is_known) {
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
