#include "shmim/watch.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "shmim/directory.hpp"
#include "shmim/file.hpp"

namespace shmim {
namespace {

using std::chrono::steady_clock;

/// How old what is not counters and times may be: descriptions, and the look at every name.
constexpr std::chrono::seconds refresh{1};
/// The rate is of this long, and of two frames at least.
constexpr std::chrono::nanoseconds window = std::chrono::seconds{2};
/// Frames remembered of a stream, at most.
constexpr std::size_t memory = 64;
/// A directory that changed this shortly ago may change again without its time telling.
constexpr std::chrono::nanoseconds settling = std::chrono::milliseconds{20};

bool is_same(const timespec& a, const timespec& b) noexcept {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/// Where the frames begin that the rate is taken over.
std::span<const FrameTime> recent(std::span<const FrameTime> frames,
                                  steady_clock::time_point moment) noexcept {
  std::size_t first = frames.size() < 2 ? 0 : frames.size() - 2;
  while (first > 0 && moment - frames[first - 1].seen < window) {
    --first;
  }
  return frames.subspan(first);
}

}  // namespace

std::optional<double> Watched::bytes_per_second() const noexcept {
  const Format& format = description.format;
  const double slices = format.is_circular() ? static_cast<double>(format.shape[2]) : 1;
  return rate.hertz ? std::optional(*rate.hertz * static_cast<double>(format.bytes()) / slices)
                    : std::nullopt;
}

Watcher::Watcher(const std::filesystem::path& directory, std::vector<std::string> patterns)
    : directory_(require_directory(directory)), patterns_(std::move(patterns)) {}

bool Watcher::has_changed() noexcept {
  struct stat status {};
  if (::stat(directory_.c_str(), &status) != 0) {
    return true;
  }
  timespec clock{};
  clock_gettime(CLOCK_REALTIME, &clock);
  const auto nanoseconds = [](const timespec& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  };
  const bool is_settled = nanoseconds(clock) - nanoseconds(status.st_mtim) > settling;
  const bool changed = !is_same(status.st_mtim, changed_) || !was_settled_;
  changed_ = status.st_mtim;
  was_settled_ = is_settled;
  return changed;
}

void Watcher::look() {
  const auto moment = steady_clock::now();
  const bool is_due = !last_listing_ || moment - *last_listing_ >= refresh;
  if (has_changed() || is_due) {
    list();
  }
  if (is_due) {
    last_listing_ = moment;
    processes_.forget();
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Watched& watched = streams_[i];
    Watch& watch = watches_[i];
    if (!watch.stream) {
      continue;
    }
    try {
      const bool is_new = watch.log.look(*watch.stream);
      if (is_due) {
        watch.stream->require_intact();
        describe_anew(watched, watch);
      }
      const FrameTime& newest = watch.log.frames().back();
      Description& description = watched.description;
      description.looked = now_on(description.clock);
      if (is_new) {
        description.header.cnt0 = newest.cnt0;
      }
      description.written = newest.written;
      if (newest.written == never && watch.log.frames().size() > 1) {
        description.written = description.looked - (steady_clock::now() - newest.seen);
      }
      take_rate(watched, watch);
    } catch (const Error& error) {
      // It was cut short under us.
      watch = {};
      watched.description.unreadable = {error.problem(), error.why()};
    }
  }
}

void Watcher::list() {
  std::set<std::string> names;
  for (const std::string& pattern : patterns_) {
    names.merge([](std::vector<std::string> found) {
      return std::set<std::string>(std::make_move_iterator(found.begin()),
                                   std::make_move_iterator(found.end()));
    }(list_streams(directory_, pattern)));
  }
  // Held until all are open: where descriptors run out, there are some left to look around with.
  std::array<FileDescriptor, 8> spare;
  for (FileDescriptor& descriptor : spare) {
    descriptor = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  std::vector<Watched> streams;
  std::vector<Watch> watches;
  streams.reserve(names.size());
  watches.reserve(names.size());
  std::size_t old = 0;  // both lists are sorted by name
  for (const std::string& name : names) {
    while (old < streams_.size() && streams_[old].description.name < name) {
      ++old;
    }
    if (old < streams_.size() && streams_[old].description.name == name) {
      streams.push_back(std::move(streams_[old]));
      watches.push_back(std::move(watches_[old]));
      ++old;
    } else {
      streams.emplace_back();
      watches.emplace_back();
    }
    if (!watches.back().stream || !watches.back().stream->is_current()) {
      open(name, streams.back(), watches.back());
    }
  }
  streams_ = std::move(streams);
  watches_ = std::move(watches);
}

void Watcher::open(const std::string& name, Watched& watched, Watch& watch) {
  const bool was_open = watch.stream.has_value();
  watch = {};
  watched.rate = {};
  watched.missed.reset();
  watched.recreated += was_open ? 1 : 0;
  const std::filesystem::path path = stream_path(directory_, name);
  try {
    watch.stream.emplace(Stream::open(path, Access::read));
    describe_anew(watched, watch);
  } catch (const Error&) {
    watch.stream.reset();
    watched.description = describe(path, processes_);
  }
}

void Watcher::describe_anew(Watched& watched, Watch& watch) {
  watched.description = describe(*watch.stream, processes_);
  count_missed(watched, watch);
}

void Watcher::count_missed(Watched& watched, Watch& watch) noexcept {
  const Description& description = watched.description;
  if (description.trace.empty() || description.state != FrameState::whole) {
    return;
  }
  const TraceEntry& newest = description.trace.front();
  if (newest.trigger_inode != watch.trigger_inode || newest.cnt0 < watch.trigger_cnt0 ||
      description.header.cnt0 < watch.cnt0) {
    watch.trigger_inode = newest.trigger_inode;
    watch.trigger_cnt0 = newest.cnt0;
    watch.cnt0 = description.header.cnt0;
    watched.missed = newest.trigger_inode == 0 ? std::nullopt : std::optional<std::uint64_t>(0);
  } else if (newest.trigger_inode != 0) {
    const std::uint64_t came = newest.cnt0 - watch.trigger_cnt0;
    const std::uint64_t taken = description.header.cnt0 - watch.cnt0;
    watched.missed = came - std::min(came, taken);
  }
}

void Watcher::take_rate(Watched& watched, Watch& watch) {
  watch.log.keep(memory);
  const auto moment = steady_clock::now();
  watched.rate = rate_of(recent(watch.log.frames(), moment));
  // It has stopped: the time since the last frame says more than the frames before.
  if (watched.rate.mean &&
      Seconds(moment - watch.log.frames().back().seen) > Seconds(window) + 2 * *watched.rate.mean) {
    watched.rate = {};
  }
}

const Stream* Watcher::stream(std::string_view name) const noexcept {
  const auto found = std::lower_bound(streams_.begin(), streams_.end(), name,
                                      [](const Watched& watched, std::string_view wanted) {
                                        return watched.description.name < wanted;
                                      });
  if (found == streams_.end() || found->description.name != name) {
    return nullptr;
  }
  const Watch& watch = watches_[static_cast<std::size_t>(found - streams_.begin())];
  return watch.stream ? &*watch.stream : nullptr;
}

std::map<ino_t, std::string> names_by_inode(const std::vector<Watched>& streams) {
  std::map<ino_t, std::string> names;
  // A link gives a stream its name only where it has none of its own here.
  for (const bool is_link : {false, true}) {
    for (const Watched& watched : streams) {
      if (watched.description.target.has_value() == is_link) {
        names.try_emplace(watched.description.identity.inode, watched.description.name);
      }
    }
  }
  return names;
}

}  // namespace shmim
