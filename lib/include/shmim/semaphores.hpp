#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"
#include "shmim/segment.hpp"

namespace shmim {

enum class WaitResult {
  posted,
  timed_out,
  interrupted,  ///< a signal handler ran
};

/// Which semaphores of a stream to post.
class SHMIM_EXPORT SemaphoreSet {
 public:
  static SemaphoreSet all() { return SemaphoreSet({}, true); }
  static SemaphoreSet only(std::vector<unsigned> indices) {
    return SemaphoreSet(std::move(indices), false);
  }
  static SemaphoreSet all_but(std::vector<unsigned> indices) {
    return SemaphoreSet(std::move(indices), true);
  }
  [[nodiscard]] bool includes(unsigned index) const noexcept;
  [[nodiscard]] const std::vector<unsigned>& listed() const noexcept { return listed_; }
  /// True for all() and all_but(): the log semaphore is posted too.
  [[nodiscard]] bool by_default() const noexcept { return others_; }

 private:
  SemaphoreSet(std::vector<unsigned> listed, bool others)
      : listed_(std::move(listed)), others_(others) {}
  std::vector<unsigned> listed_;
  bool others_;
};

class SemaphoreClaim;

/// The semaphores of a stream: a view, which keeps the stream mapped. Each has at most one reader.
/// Looking at them needs no write access; all else does, or throws Error (not_ours_to_write). An
/// index that is out of range is an Error (usage). Thread-safe, and safe against other processes.
class SHMIM_EXPORT Semaphores {
 public:
  struct Regions {
    std::span<sem_t> semaphores;
    sem_t* log = nullptr;
    std::span<pid_t> read_pid;
    std::span<pid_t> write_pid;
    std::span<std::uint32_t> control;
    std::span<std::uint32_t> status;
  };
  /// `stream` is the name of the stream, and keeps its segment as long as this view is there.
  Semaphores(const Regions& regions, const Segment& segment,
             std::shared_ptr<const std::string> stream = {}) noexcept
      : regions_(regions), segment_(&segment), stream_(std::move(stream)) {}

  [[nodiscard]] unsigned count() const noexcept {
    return static_cast<unsigned>(regions_.semaphores.size());
  }
  [[nodiscard]] int value(unsigned index) const;
  [[nodiscard]] int log_value() const noexcept;
  /// PID of the reader that has claimed it; 0 or -1: none ever or none now.
  [[nodiscard]] pid_t reader(unsigned index) const;
  /// PID of the process that posted last; -1 if none has.
  [[nodiscard]] pid_t poster(unsigned index) const;
  /// Bits of semctrl: 0x1 ready.
  [[nodiscard]] std::uint32_t control(unsigned index) const;
  /// Bits of layout::status_*.
  [[nodiscard]] std::uint32_t status(unsigned index) const;

  /// Throws Error (usage) if the set lists a semaphore that is not there.
  void require(const SemaphoreSet& set) const;
  /// Posts all of the set, but none that has reached layout::semaphore_max: its reader has enough
  /// to wake to. If the set lists a semaphore that is not there, none is posted.
  void post(const SemaphoreSet& posts) const;

  /// Posts those that a reader of this library has claimed, so that it looks around; any other
  /// reader would take it for a frame.
  void wake_readers() const noexcept;
  /// Posts this one, if this process has claimed it, so that its thread that waits there looks
  /// around. Nobody is noted as who posted it.
  void wake_own(unsigned index) const noexcept;

  /// Claims a semaphore for this process: one that is free, or whose reader is dead, and that
  /// nobody waits on without a claim; the last of those, for who waits without one mostly takes the
  /// first. Or the one given, whoever waits on it. Throws Error (claimed), naming who holds them.
  [[nodiscard]] SemaphoreClaim claim(std::optional<unsigned> index = std::nullopt) const;
  /// The same, but nullopt if there is none to claim.
  [[nodiscard]] std::optional<SemaphoreClaim> try_claim() const;
  /// Claims one as programs of the C library do, by this process's PID and nothing else: for the
  /// whole process, until it dies or the PID is taken away. So it is never posted for less than a
  /// frame. Gives the one that this process has so already; else `wish`, where that is free or its
  /// reader dead; else the first that is; nullopt: none. Not for two threads at once.
  [[nodiscard]] std::optional<unsigned> claim_for_process(int wish) const;

  /// Waits for a post and takes it. Blocks until then, the deadline, or a signal handler.
  [[nodiscard]] WaitResult wait(unsigned index, Deadline deadline) const;
  /// Takes every pending post and says how many there were.
  unsigned drain(unsigned index) const;

 private:
  friend class SemaphoreClaim;
  void require_writable() const;
  void require_index(unsigned index) const;
  [[nodiscard]] bool has_reader(unsigned index) const noexcept;
  [[nodiscard]] std::optional<SemaphoreClaim> try_claim(unsigned index) const;
  [[nodiscard]] std::string describe_reader(unsigned index) const;
  [[nodiscard]] std::string subject() const { return stream_ ? *stream_ : std::string(); }
  Regions regions_;
  const Segment* segment_;
  std::shared_ptr<const std::string> stream_;
};

/// A claimed semaphore; given back on destruction, and taken over by others when this process dies.
/// Keeps the stream mapped.
class SHMIM_EXPORT SemaphoreClaim {
 public:
  ~SemaphoreClaim();
  SemaphoreClaim(SemaphoreClaim&& other) noexcept;
  SemaphoreClaim& operator=(SemaphoreClaim&&) = delete;
  SemaphoreClaim(const SemaphoreClaim&) = delete;
  SemaphoreClaim& operator=(const SemaphoreClaim&) = delete;

  [[nodiscard]] unsigned index() const noexcept { return index_; }
  /// False once a program of the C library, which claims without looking twice, has taken it from
  /// us.
  [[nodiscard]] bool still_ours() const noexcept;
  /// Waits for a post and takes it. Blocks until then, the deadline, or a signal handler.
  [[nodiscard]] WaitResult wait(Deadline deadline) const noexcept;
  /// Takes every pending post and says how many there were.
  unsigned drain() const noexcept;

 private:
  friend class Semaphores;
  SemaphoreClaim(Semaphores semaphores, unsigned index, Claim place) noexcept
      : semaphores_(std::move(semaphores)), index_(index), place_(std::move(place)) {}
  Semaphores semaphores_;
  unsigned index_;
  Claim place_;
  bool held_ = true;
};

}  // namespace shmim
