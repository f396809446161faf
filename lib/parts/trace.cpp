#include "shmim/trace.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "parts/trace_writer.hpp"

namespace shmim {
namespace {

// What the layout has no field for lies in two that it has, here and nowhere else: a writer of ours
// in mid-frame has its PID in entry 0, and 0 for the seconds of the time it wrote; one that gave up
// has its PID there with a minus sign.

/// Who the entry is of and how far it has got. No process has the one PID that has no positive.
void decode_writer(TraceEntry& entry, pid_t pid, layout::Timespec written) noexcept {
  if (pid < 0) {
    entry.pid = pid == std::numeric_limits<pid_t>::min() ? 0 : -pid;
    entry.writing = Writing::given_up;
  } else {
    entry.pid = pid;
    entry.writing = pid != 0 && written.seconds <= 0 ? Writing::begun : Writing::done;
  }
  if (entry.pid != 0 && entry.writing == Writing::done) {
    entry.written = to_tai(written);
  }
}

TraceEntry read(const layout::TraceSlot& slot) noexcept {
  TraceEntry entry;
  const pid_t pid = layout::load(slot.procwrite_pid);
  entry.trigger_inode = layout::load(slot.trigger_inode);
  entry.mode = static_cast<TriggerMode>(layout::load(slot.triggermode));
  entry.status = static_cast<TriggerStatus>(layout::load(slot.triggerstatus));
  entry.semaphore = layout::load(slot.trigsemindex);
  entry.cnt0 = layout::load(slot.cnt0);
  entry.triggered = to_tai(layout::load(slot.ts_procstart));
  decode_writer(entry, pid, layout::load(slot.ts_streamupdate));
  return entry;
}

void write(layout::TraceSlot& slot, const TraceEntry& entry) noexcept {
  layout::store(slot.procwrite_pid, entry.writing == Writing::given_up ? -entry.pid : entry.pid);
  layout::store(slot.trigger_inode, std::uint64_t{entry.trigger_inode});
  layout::store(slot.triggermode, static_cast<std::int32_t>(entry.mode));
  layout::store(slot.triggerstatus, static_cast<std::int32_t>(entry.status));
  layout::store(slot.trigsemindex, entry.semaphore);
  layout::store(slot.cnt0, entry.cnt0);
  layout::store(slot.ts_procstart, to_timespec(entry.triggered));
  layout::store(slot.ts_streamupdate, to_timespec(entry.written.value_or(never)));
}

}  // namespace

std::string_view to_string(TriggerMode mode) noexcept {
  constexpr std::array modes{"immediate", "cnt0", "cnt1", "semaphore", "delay", "unknown", "cnt2"};
  const auto code = static_cast<std::size_t>(mode);
  return code < modes.size() ? modes[code] : "unknown";
}

std::string_view to_string(TriggerStatus status) noexcept {
  constexpr std::array statuses{"-", "waiting", "received", "timed out"};
  const auto code = static_cast<std::size_t>(status);
  return code < statuses.size() ? statuses[code] : "unknown";
}

std::string_view to_string(Writing writing) noexcept {
  switch (writing) {
    case Writing::done:
      return "done";
    case Writing::begun:
      return "begun";
    case Writing::given_up:
      return "given up";
  }
  return "unknown";
}

std::vector<TraceEntry> Trace::entries() const {
  std::vector<TraceEntry> entries;
  for (const layout::TraceSlot& slot : slots_) {
    const TraceEntry entry = read(slot);
    if (entry.pid == 0) {
      break;
    }
    entries.push_back(entry);
  }
  return entries;
}

std::optional<TraceEntry> Trace::newest() const noexcept {
  if (slots_.empty()) {
    return std::nullopt;
  }
  const TraceEntry entry = read(slots_.front());
  return entry.pid == 0 ? std::nullopt : std::optional(entry);
}

bool TraceWriter::take_over(pid_t from, pid_t pid) const noexcept {
  if (slots_.empty()) {
    return true;
  }
  layout::TraceSlot& slot = slots_.front();
  const bool is_ours = layout::exchange_if(slot.procwrite_pid, from, pid) ||
                       layout::exchange_if(slot.procwrite_pid, -from, pid);
  if (is_ours) {
    layout::store(slot.ts_streamupdate.seconds, std::int64_t{0});
  }
  return is_ours;
}

bool TraceWriter::take_over(Mark found, pid_t pid) const noexcept {
  // The PID first: what says that a frame is begun must not name somebody dead, or a third would
  // take over from him. The seconds decide, for the author of the frame before changes no PID.
  if (slots_.empty()) {
    return true;
  }
  layout::TraceSlot& slot = slots_.front();
  if (!layout::exchange_if(slot.procwrite_pid, found.pid, pid)) {
    return false;
  }
  if (layout::exchange_if(slot.ts_streamupdate.seconds, found.seconds, std::int64_t{0})) {
    return true;
  }
  // That author won, and may have begun already: the mark is to name him, unless he has said so.
  static_cast<void>(layout::exchange_if(slot.procwrite_pid, pid, found.pid));
  return false;
}

void TraceWriter::give_up(pid_t pid) const noexcept {
  if (!slots_.empty()) {
    // In one step, unless somebody has taken it over meanwhile.
    static_cast<void>(layout::exchange_if(slots_.front().procwrite_pid, pid, -pid));
  }
}

TraceWriter::Mark TraceWriter::mark() const noexcept {
  return slots_.empty() ? Mark{}
                        : Mark{layout::load(slots_.front().procwrite_pid),
                               layout::load(slots_.front().ts_streamupdate.seconds)};
}

void TraceWriter::restore(Mark mark) const noexcept {
  if (!slots_.empty()) {
    // The PID last: until then it is the writer's own, whose death can be told.
    layout::store(slots_.front().ts_streamupdate.seconds, mark.seconds);
    layout::store(slots_.front().procwrite_pid, mark.pid);
  }
}

bool TraceWriter::begin(Mark found, pid_t pid) const noexcept {
  if (slots_.empty()) {
    return true;
  }
  // What decides is what those who take over change, of a mark that this writer has not yet put in
  // the place of a dead one's, or that it left itself with its last frame.
  layout::TraceSlot& slot = slots_.front();
  if (found.pid == pid) {
    if (!layout::exchange_if(slot.ts_streamupdate.seconds, found.seconds, std::int64_t{0})) {
      return false;
    }
    layout::store(slot.procwrite_pid, pid);
    return true;
  }
  if (!layout::exchange_if(slot.procwrite_pid, found.pid, pid)) {
    return false;
  }
  layout::store(slot.ts_streamupdate.seconds, std::int64_t{0});
  return true;
}

void TraceWriter::finish(Tai written, pid_t pid) const noexcept {
  if (!slots_.empty()) {
    // The seconds after the rest of the time: until then the entry is that of a writer at work. The
    // PID last: until then it is the writer's own, whose death can be told.
    const layout::Timespec time = to_timespec(written);
    layout::store(slots_.front().ts_streamupdate.nanoseconds, time.nanoseconds);
    layout::store(slots_.front().ts_streamupdate.seconds, time.seconds);
    layout::store(slots_.front().procwrite_pid, pid);
  }
}

void TraceWriter::record(const TraceEntry& newest) const noexcept {
  if (!slots_.empty()) {
    write(slots_.front(), newest);
  }
}

void TraceWriter::record(const TraceEntry& newest,
                         std::span<const TraceEntry> ancestors) const noexcept {
  record(newest);
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    write(slots_[i], i <= ancestors.size() ? ancestors[i - 1] : TraceEntry{});
  }
}

std::optional<std::chrono::nanoseconds> latency_of(std::span<const TraceEntry> trace,
                                                   std::size_t step) {
  const TraceEntry& entry = trace[step];
  if (entry.trigger_inode == 0 || !entry.written) {
    return std::nullopt;
  }
  const auto made = step + 1 < trace.size() ? trace[step + 1].written : std::nullopt;
  return elapsed(made.value_or(entry.triggered), *entry.written);
}

std::span<const TraceEntry> chain_of(std::span<const TraceEntry> trace) noexcept {
  std::size_t length = 0;
  while (length < trace.size()) {
    if (trace[length++].trigger_inode == 0) {
      break;
    }
  }
  return trace.first(length);
}

std::optional<std::chrono::nanoseconds> delay_from(std::span<const TraceEntry> whole, ino_t cause) {
  const std::span<const TraceEntry> trace = chain_of(whole);
  const auto step = std::ranges::find(trace, cause, &TraceEntry::trigger_inode);
  if (step == trace.end() || !trace.front().written || cause == 0) {
    return std::nullopt;
  }
  const auto before = std::next(step);
  const auto made = before == trace.end() ? std::nullopt : before->written;
  return elapsed(made.value_or(step->triggered), *trace.front().written);
}

std::optional<std::chrono::nanoseconds> end_to_end(std::span<const TraceEntry> whole) {
  const std::span<const TraceEntry> trace = chain_of(whole);
  if (trace.empty() || !trace.front().written) {
    return std::nullopt;
  }
  const Tai newest = *trace.front().written;
  const TraceEntry& oldest = trace.back();
  if (oldest.trigger_inode != 0) {
    return elapsed(oldest.triggered, newest);
  }
  return trace.size() > 1 && oldest.written ? std::optional(elapsed(*oldest.written, newest))
                                            : std::nullopt;
}

}  // namespace shmim
