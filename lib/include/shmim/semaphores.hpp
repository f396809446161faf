#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <sys/types.h>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/layout.hpp"

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

/// The semaphores of a stream: a view, valid as long as the stream is. Each has at most one reader.
/// Reading needs no write access; all else does. Thread-safe, and safe against other processes.
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
  Semaphores(const Regions& regions, bool writable) noexcept
      : regions_(regions), writable_(writable) {}

  [[nodiscard]] unsigned count() const noexcept {
    return static_cast<unsigned>(regions_.semaphores.size());
  }
  [[nodiscard]] int value(unsigned index) const noexcept;
  [[nodiscard]] int log_value() const noexcept;
  /// PID of the reader that has claimed it; 0 or -1: none ever or none now.
  [[nodiscard]] pid_t reader(unsigned index) const noexcept;
  /// PID of whoever posted last; -1 nobody.
  [[nodiscard]] pid_t poster(unsigned index) const noexcept;
  /// Bits of semctrl: 0x1 ready.
  [[nodiscard]] std::uint32_t control(unsigned index) const noexcept;
  /// Bits of layout::status_*.
  [[nodiscard]] std::uint32_t status(unsigned index) const noexcept;

  /// Throws Error (usage) if the set lists a semaphore that is not there.
  void require(const SemaphoreSet& set) const;
  /// Posts all of the set, but none that has reached layout::semaphore_max: its reader has enough
  /// to wake to. Throws Error (usage) for an index there is none of, (not_ours_to_write).
  void post(const SemaphoreSet& posts) const;
  /// The same, where the caller has checked the indices and may write.
  void post_checked(const SemaphoreSet& posts) const noexcept;

  /// Claims a semaphore for this process: a free one, one whose reader is dead, or the one given.
  /// Throws Error (claimed), naming who holds them; (usage); (not_ours_to_write).
  [[nodiscard]] SemaphoreClaim claim(std::optional<unsigned> index = std::nullopt) const;

  /// Waits for a post and takes it.
  [[nodiscard]] WaitResult wait(unsigned index, Deadline deadline) const noexcept;
  /// Takes every pending post and says how many there were.
  unsigned drain(unsigned index) const noexcept;

 private:
  friend class SemaphoreClaim;
  void require_writable() const;
  void require_index(unsigned index) const;
  [[nodiscard]] bool try_claim(unsigned index) const noexcept;
  void post_one(unsigned index) const noexcept;
  Regions regions_;
  bool writable_;
};

/// A claimed semaphore; given back on destruction, and taken over by others when this process dies.
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
  [[nodiscard]] WaitResult wait(Deadline deadline) noexcept;
  /// Takes every pending post and says how many there were.
  unsigned drain() noexcept { return semaphores_.drain(index_); }

 private:
  friend class Semaphores;
  SemaphoreClaim(const Semaphores& semaphores, unsigned index) noexcept
      : semaphores_(semaphores), index_(index) {}
  Semaphores semaphores_;
  unsigned index_;
  bool held_ = true;
};

}  // namespace shmim
