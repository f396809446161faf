#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "parts/circular_buffer_writer.hpp"
#include "shmim/plane_ring.hpp"
#include "shmim/process.hpp"
#include "shmim/stream.hpp"
#include "stream/mid_frame.hpp"

namespace shmim {

/// What the copies of a stream share with its views and guards: the mapping, and where in it is
/// what.
struct Stream::Core {
  Segment segment;
  std::string name;
  std::filesystem::path path;
  Format format;
  layout::Regions regions;
  /// When a writer looked last whether another process has claimed the stream, in nanoseconds of
  /// CLOCK_MONOTONIC_COARSE. Relaxed: to look once too often does no harm.
  mutable std::atomic<std::int64_t> looked_for_claim{0};
  /// The process that is announced as a writer by `announcement`; another once we were forked.
  mutable std::atomic<pid_t> announced{0};
  mutable std::mutex announcing;
  mutable std::optional<Claim> announcement;

  Core(Segment mapped, std::string its_name, std::filesystem::path its_path,
       const Format& its_format, const layout::Regions& its_regions)
      : segment(std::move(mapped)),
        name(std::move(its_name)),
        path(std::move(its_path)),
        format(its_format),
        regions(its_regions) {}

  [[nodiscard]] layout::Metadata& header() const noexcept {
    return *reinterpret_cast<layout::Metadata*>(segment.data());
  }
  template <class T>
  [[nodiscard]] std::span<T> region(std::uint64_t offset, std::size_t count) const noexcept {
    return {reinterpret_cast<T*>(segment.data() + offset), count};
  }
  [[nodiscard]] std::span<layout::KeywordSlot> keywords() const noexcept {
    return region<layout::KeywordSlot>(regions.keywords, format.keywords);
  }
  [[nodiscard]] Semaphores::Regions semaphores() const noexcept {
    const std::size_t count = format.semaphores;
    return {region<sem_t>(regions.semaphores, count),
            region<sem_t>(regions.log_semaphore, 1).data(),
            region<pid_t>(regions.read_pid, count),
            region<pid_t>(regions.write_pid, count),
            region<std::uint32_t>(regions.control, count),
            region<std::uint32_t>(regions.status, count)};
  }
  [[nodiscard]] std::span<layout::TraceSlot> trace() const noexcept {
    return region<layout::TraceSlot>(regions.trace, format.trace_entries);
  }
  [[nodiscard]] CircularBufferWriter buffer_writer() const noexcept {
    return {header(), buffer_slots(), buffer_frames(), regions.array_bytes};
  }
  /// A view that keeps nothing: for use within a call.
  [[nodiscard]] CircularBuffer buffer() const noexcept {
    return {header(), buffer_slots(), buffer_frames(), regions.array_bytes};
  }
  /// The planes, where z is time; likewise. Throws Error (on_gpu).
  [[nodiscard]] PlaneRing planes() const {
    if (!format.is_circular()) {
      return {header(), 0, {}};
    }
    const std::uint32_t planes = format.shape[2];
    if (!layout::has_slice_arrays(format.image_type)) {
      return {header(), planes, {array(), {}, {}, {}}};
    }
    return {header(),
            planes,
            {array(), region<layout::Timespec>(regions.slice_atime, planes),
             region<layout::Timespec>(regions.slice_writetime, planes),
             region<std::uint64_t>(regions.slice_cnt, planes)}};
  }
  [[nodiscard]] std::span<layout::CircularBufferSlot> buffer_slots() const noexcept {
    return region<layout::CircularBufferSlot>(regions.buffer_metadata, format.circular_buffer);
  }
  [[nodiscard]] std::span<std::byte> buffer_frames() const noexcept {
    return region<std::byte>(regions.buffer_frames, format.circular_buffer * regions.array_bytes);
  }
  /// Throws Error (on_gpu).
  [[nodiscard]] std::span<std::byte> array() const {
    if (format.location != -1) {
      throw_on_gpu();
    }
    return region<std::byte>(regions.array, regions.array_bytes);
  }

  void store_slice_info(const FrameInfo& info) const noexcept;
  /// Takes the number back from the slices of a dead writer whose frame was never counted, before
  /// another frame gets it. For one that holds the write flag.
  void withdraw_uncounted_slices() const noexcept;
  /// Throws Error (claimed) if another process has claimed to be the only writer.
  void require_unclaimed() const;
  /// The same for each frame of a writer: a look takes longer than a frame, so it is taken every
  /// 10 ms at most.
  void respect_claim() const;
  /// Lets others tell our death in mid-frame from a pause, in whatever PID namespace they are. Done
  /// once for a process.
  void announce_writer() const noexcept {
    if (announced.load(std::memory_order_relaxed) != this_process()) {
      announce_anew();
    }
  }
  void announce_anew() const noexcept;
  [[nodiscard]] MidFrameWriter writer_in_mid_frame() const noexcept;
  /// Throws Error (wrong_size) once an access of ours has met the end of a file cut short.
  void require_not_lost() const {
    if (segment.is_lost()) {
      throw_cut_short();
    }
  }
  [[noreturn]] void throw_on_gpu() const;
  [[noreturn]] void throw_claimed(pid_t holder) const;
  [[noreturn]] void throw_cut_short() const;
};

}  // namespace shmim
