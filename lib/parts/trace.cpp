#include "shmim/trace.hpp"

#include <algorithm>
#include <array>

namespace shmim {
namespace {

TraceEntry read(const layout::TraceSlot& slot) noexcept {
  TraceEntry entry;
  entry.pid = layout::load(slot.procwrite_pid);
  entry.trigger_inode = layout::load(slot.trigger_inode);
  entry.mode = static_cast<TriggerMode>(layout::load(slot.triggermode));
  entry.status = static_cast<TriggerStatus>(layout::load(slot.triggerstatus));
  entry.semaphore = layout::load(slot.trigsemindex);
  entry.cnt0 = layout::load(slot.cnt0);
  entry.triggered = to_tai(layout::load(slot.ts_procstart));
  entry.written = to_tai(layout::load(slot.ts_streamupdate));
  return entry;
}

void write(layout::TraceSlot& slot, const TraceEntry& entry) noexcept {
  layout::store(slot.procwrite_pid, entry.pid);
  layout::store(slot.trigger_inode, std::uint64_t{entry.trigger_inode});
  layout::store(slot.triggermode, static_cast<std::int32_t>(entry.mode));
  layout::store(slot.triggerstatus, static_cast<std::int32_t>(entry.status));
  layout::store(slot.trigsemindex, entry.semaphore);
  layout::store(slot.cnt0, entry.cnt0);
  layout::store(slot.ts_procstart, to_timespec(entry.triggered));
  layout::store(slot.ts_streamupdate, to_timespec(entry.written));
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
  return slots_.empty() ? std::nullopt : std::optional(read(slots_.front()));
}

bool Trace::exchange_writer(pid_t expected, pid_t pid) const noexcept {
  return slots_.empty() || layout::exchange_if(slots_.front().procwrite_pid, expected, pid);
}

void Trace::set_newest(const TraceEntry& entry) const noexcept {
  if (!slots_.empty()) {
    write(slots_.front(), entry);
  }
}

Trace::Mark Trace::mark() const noexcept {
  return slots_.empty() ? Mark{}
                        : Mark{layout::load(slots_.front().procwrite_pid),
                               layout::load(slots_.front().ts_streamupdate.seconds)};
}

void Trace::restore(Mark mark) const noexcept {
  if (!slots_.empty()) {
    // The PID last: until then it is the writer's own, whose death can be told.
    layout::store(slots_.front().ts_streamupdate.seconds, mark.seconds);
    layout::store(slots_.front().procwrite_pid, mark.pid);
  }
}

void Trace::begin_newest(pid_t pid) const noexcept {
  if (!slots_.empty()) {
    layout::store(slots_.front().procwrite_pid, pid);
    layout::store(slots_.front().ts_streamupdate.seconds, std::int64_t{0});
  }
}

void Trace::finish_newest(Tai written, pid_t pid) const noexcept {
  if (!slots_.empty()) {
    // The seconds after the rest of the time: until then the entry is that of a writer at work. The
    // PID last: until then it is the writer's own, whose death can be told.
    const layout::Timespec time = to_timespec(written);
    layout::store(slots_.front().ts_streamupdate.nanoseconds, time.nanoseconds);
    layout::store(slots_.front().ts_streamupdate.seconds, time.seconds);
    layout::store(slots_.front().procwrite_pid, pid);
  }
}

void Trace::record(const TraceEntry& newest, std::span<const TraceEntry> ancestors) const noexcept {
  set_newest(newest);
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    write(slots_[i], i <= ancestors.size() ? ancestors[i - 1] : TraceEntry{});
  }
}

void Trace::initialise() const noexcept {
  for (layout::TraceSlot& slot : slots_) {
    layout::store(slot.trigsemindex, -1);
  }
}

std::optional<Tai> latency_of(std::span<const TraceEntry> trace, std::size_t step) {
  if (trace[step].trigger_inode == 0 || trace[step].written == Tai{0}) {
    return std::nullopt;
  }
  const bool is_known = step + 1 < trace.size() && trace[step + 1].written != Tai{0};
  return elapsed(is_known ? trace[step + 1].written : trace[step].triggered, trace[step].written);
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

std::optional<Tai> end_to_end(std::span<const TraceEntry> whole) {
  const std::span<const TraceEntry> trace = chain_of(whole);
  if (trace.empty() || trace.front().written == Tai{0}) {
    return std::nullopt;
  }
  const TraceEntry& oldest = trace.back();
  if (oldest.trigger_inode != 0) {
    return elapsed(oldest.triggered, trace.front().written);
  }
  return trace.size() > 1 ? std::optional(elapsed(oldest.written, trace.front().written))
                          : std::nullopt;
}

}  // namespace shmim
