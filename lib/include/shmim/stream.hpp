#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "shmim/circular_buffer.hpp"
#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/keywords.hpp"
#include "shmim/layout.hpp"
#include "shmim/plane_ring.hpp"
#include "shmim/segment.hpp"
#include "shmim/semaphores.hpp"
#include "shmim/trace.hpp"

namespace shmim {

class Selection;

/// What the name of every stream file ends with.
inline constexpr std::string_view stream_suffix = ".im.shm";

/// Name of the stream whose file this is: the last part of the path, without the suffix.
[[nodiscard]] SHMIM_EXPORT std::string stream_name(const std::filesystem::path& path);

/// How reading one whole frame ended.
enum class FrameState {
  whole,
  busy,        ///< a writer at work left no whole frame in the time given
  unfinished,  ///< the writer died or gave up in mid-frame, and nobody has repaired it yet
};

/// A frame as it was read, without its pixels.
struct Snapshot {
  FrameState state = FrameState::busy;
  FrameInfo info;
  unsigned retries = 0;
  /// Who writes, or left it unfinished; 0 unknown. Set where reading is not whole.
  pid_t writer = 0;
};

/// What made a process write a frame, captured when it was triggered.
struct Trigger {
  TraceEntry entry;                   ///< pid and written are filled in at publication
  std::vector<TraceEntry> ancestors;  ///< the trigger stream's own trace
};

/// A mapped stream: a handle of its mapping, which copies share and which goes with the last of
/// them, the views and the guards of it. A stream that has been moved from is as good as before.
/// Not thread-safe itself (use one per thread), but safe against any other process or Stream on the
/// same file.
class SHMIM_EXPORT Stream {
 public:
  ~Stream();
  Stream(const Stream& other) noexcept;
  Stream& operator=(const Stream& other) noexcept;
  // NOLINTNEXTLINE(performance-move-constructor-init): what is moved from stays a stream
  Stream(Stream&& other) noexcept : Stream(std::as_const(other)) {}
  Stream& operator=(Stream&& other) noexcept { return *this = std::as_const(other); }

  /// Maps the stream file at `path` and checks its header against its size. Throws Error:
  /// not_found, dangling_link, no_permission, too_short, no_version, dao_layout, other_version,
  /// bad_header, wrong_size.
  static Stream open(const std::filesystem::path& path, Access access = Access::best);

  /// A whole new stream that nobody can see yet, in the file system of `directory`: all zeros,
  /// counters 0. Throws Error: usage, no_space, no_directory, no_permission.
  static Stream draft(const std::filesystem::path& directory, const std::string& name,
                      const Format& format, std::optional<mode_t> mode = std::nullopt);
  /// The same for a stream whose array is in the memory of the GPU that `format.location` names,
  /// for a program that puts it there: the file has all else. Throws Error (usage) for no GPU.
  static Stream draft_on_gpu(const std::filesystem::path& directory, const std::string& name,
                             const Format& format, std::optional<mode_t> mode = std::nullopt);
  /// A stream in the private memory of this process.
  static Stream local(const std::string& name, const Format& format);

  /// Shows a draft under its name in `directory`, in one step; false if the name is taken.
  [[nodiscard]] bool publish();
  /// Shows a draft in the place of what has its name, whose readers are woken. Gives the user whose
  /// file that was; nullopt if there was none. Blocks, for 5 s at most, while others replace files
  /// in the directory; then Error (claimed).
  std::optional<uid_t> publish_over();

  /// Another mapping of the same stream.
  [[nodiscard]] Stream duplicate() const;
  /// The same as a segment, for a program that gives it its name itself, or keeps the mapping.
  [[nodiscard]] Segment duplicate_segment() const;

  /// Name by which it was opened or made; the header's own may be another where a link led here.
  [[nodiscard]] const std::string& name() const noexcept;
  /// Empty for a local stream.
  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  /// As the header had it when the stream was opened.
  [[nodiscard]] const Format& format() const noexcept;
  [[nodiscard]] Identity identity() const noexcept;
  [[nodiscard]] std::uint64_t file_bytes() const noexcept;
  [[nodiscard]] bool writable() const noexcept;
  /// True while its path leads to it: not removed, nor re-created. Always true of a local stream.
  /// Costs a system call.
  [[nodiscard]] bool is_current() const;
  /// Throws Error (wrong_size) once another program has cut the file short, so that what is read is
  /// no frame and what is written is lost. See survive_truncation().
  void require_intact() const;
  /// Throws Error (wrong_size) if an access of ours has met the end of a file cut short: costs
  /// nothing.
  void require_not_lost() const;

  /// Every field of the header as it stands, whether anything is done with it here or not.
  [[nodiscard]] layout::Metadata metadata() const noexcept { return layout::load(header()); }
  /// Frames ever published.
  [[nodiscard]] std::uint64_t cnt0() const noexcept { return layout::cnt0(header()); }
  /// Slice written last, of a circular stream.
  [[nodiscard]] std::uint64_t cnt1() const noexcept { return layout::load(header().cnt1); }
  [[nodiscard]] std::uint64_t cnt2() const noexcept { return layout::load(header().cnt2); }
  [[nodiscard]] bool is_being_written() const noexcept { return layout::is_writing(header()); }
  [[nodiscard]] Tai created() const noexcept { return to_tai(layout::load(header().creationtime)); }
  [[nodiscard]] Tai acquired() const noexcept { return to_tai(layout::load(header().atime)); }
  /// When the newest frame was written: its writetime, or where none was ever stamped its
  /// accesstime, which is all that pyMilk stamps. Never, where its writer stamps no time. Where a
  /// writer that stamps none came after one that does, one look cannot tell: see written_after().
  [[nodiscard]] Tai written() const noexcept;
  /// The times that the stream was made with: those of the frame before the first.
  [[nodiscard]] FrameInfo as_made() const noexcept;
  /// Counters and times of the newest frame. Waits for nobody: beside a writer that leaves no pause
  /// they may be of two frames.
  [[nodiscard]] FrameInfo newest() const noexcept;
  [[nodiscard]] pid_t creator() const noexcept { return layout::load(header().creator_pid); }
  /// 0 unset; 1 belongs to no process.
  [[nodiscard]] pid_t owner() const noexcept { return layout::load(header().owner_pid); }
  void set_owner(pid_t pid) const;

  [[nodiscard]] Keywords keywords() const noexcept;
  [[nodiscard]] Semaphores semaphores() const noexcept;
  [[nodiscard]] Trace trace() const noexcept;
  [[nodiscard]] CircularBuffer circular_buffer() const noexcept;
  /// Throws Error (on_gpu).
  [[nodiscard]] PlaneRing plane_ring() const;

  /// The live array, format().bytes() long and valid as long as the stream: a writer may alter it
  /// while you look. Use snapshot() unless you know better. Throws Error (on_gpu) if the array is
  /// not in CPU memory.
  [[nodiscard]] std::span<const std::byte> unguarded_pixels() const&;
  std::span<const std::byte> unguarded_pixels() const&& = delete;
  /// The live array to write to with no guard: nobody is told, and readers may take parts of it.
  /// For a stream that nobody else sees yet; use WriteGuard unless you know better. Throws Error:
  /// on_gpu, not_ours_to_write.
  [[nodiscard]] std::span<std::byte> unguarded_writable_pixels() &;
  std::span<std::byte> unguarded_writable_pixels() && = delete;

  /// Copies one whole frame, never parts of two: from the array, or from the circular buffer where
  /// the writer leaves no pause. Blocks for as long as the writer is in mid-frame, at most until
  /// the deadline (by default one second). `pixels` has at least format().bytes(). Throws Error:
  /// usage (it has fewer), on_gpu, wrong_size (the file was cut short meanwhile).
  [[nodiscard]] Snapshot snapshot(std::span<std::byte> pixels) const;
  [[nodiscard]] Snapshot snapshot(std::span<std::byte> pixels, Deadline deadline) const;
  /// Reads one whole frame with a copy of your own making, of part of it say, which is called with
  /// the bytes of the frame. See CopyFrame for what it must be prepared for. Blocks and throws as
  /// the copy into `pixels` does.
  template <class Copy>
  requires std::invocable<Copy&, std::span<const std::byte>>
  [[nodiscard]] Snapshot snapshot(Copy&& copy) const {
    return read_whole(Reading::What::pixels, nullptr, copy);
  }
  template <class Copy>
  requires std::invocable<Copy&, std::span<const std::byte>>
  [[nodiscard]] Snapshot snapshot(Copy&& copy, Deadline deadline) const {
    return read_whole(Reading::What::pixels, &deadline, copy);
  }
  /// Reads the newest plane of a stream in which z is time, and of others the newest frame: what is
  /// published at a time. `pixels` has at least the bytes of format().frame_shape(). Blocks and
  /// throws as snapshot() does.
  [[nodiscard]] Snapshot snapshot_newest(std::span<std::byte> pixels) const;
  template <class Copy>
  requires std::invocable<Copy&, std::span<const std::byte>>
  [[nodiscard]] Snapshot snapshot_newest(Copy&& copy, Deadline deadline) const {
    return read_whole(Reading::What::newest, &deadline, copy);
  }
  /// Takes what `selection` selects, of the newest plane or of the array, from one whole frame to
  /// `out`, which has selection.bytes(). Blocks and throws as snapshot() does, and as
  /// require_whole().
  Snapshot take_whole(const Selection& selection, bool is_of_plane, std::span<std::byte> out,
                      Deadline deadline) const;
  /// Copies one whole frame as snapshot() does, for a large one that is the only one to be read:
  /// the kernel copies it, so that its pages need not be mapped, nor unmapped in the end.
  [[nodiscard]] Snapshot snapshot_once(std::span<std::byte> pixels) const;
  [[nodiscard]] Snapshot snapshot_once(std::span<std::byte> pixels, Deadline deadline) const;
  /// The trace of one frame, whole. Blocks and throws as snapshot() does.
  [[nodiscard]] Snapshot snapshot_trace(std::vector<TraceEntry>& entries) const;
  [[nodiscard]] Snapshot snapshot_trace(std::vector<TraceEntry>& entries, Deadline deadline) const;
  /// Throws what a reading that is not whole means: Error busy or unfinished, naming the writer.
  void require_whole(const Snapshot& snapshot) const {
    if (snapshot.state != FrameState::whole) {
      throw_not_whole(snapshot);
    }
  }

  /// Captures what a process that is triggered by this stream now should put in its trace: of the
  /// newest frame. For a frame that was taken see TakenFrame::trigger(). Blocks for 10 ms at most
  /// if a writer is in mid-frame; then its ancestors may be of two frames.
  [[nodiscard]] Trigger trigger(TriggerMode mode, std::int32_t semaphore = -1) const;

  /// Claims the right to be the one writer. Throws Error: claimed (naming the holder),
  /// not_ours_to_write.
  [[nodiscard]] Claim claim_writing() const;
  /// Throws Error (claimed) where another process has claimed to be the only writer.
  void require_unclaimed() const;
  /// PID of the process that has claimed it, or 0.
  [[nodiscard]] pid_t claimed_by() const noexcept;
  /// Whether a process is there that the stream has the PID of; see Segment::liveness_of().
  [[nodiscard]] Liveness liveness_of(pid_t pid) const noexcept;

 private:
  friend class WriteGuard;
  struct Core;
  explicit Stream(std::shared_ptr<const Core> core) noexcept;
  static Stream draft_anywhere(const std::filesystem::path& directory, const std::string& name,
                               const Format& format, std::optional<mode_t> mode);
  static Stream make(Segment segment, const std::string& name, const std::filesystem::path& path,
                     const Format& format);
  [[nodiscard]] const layout::Metadata& header() const noexcept { return *header_; }
  /// The name, which keeps the mapping: for views.
  [[nodiscard]] std::shared_ptr<const std::string> shared_name() const noexcept;
  void require_room(std::span<const std::byte> pixels, std::uint64_t bytes) const {
    if (pixels.size() < bytes) {
      throw_no_room(pixels.size(), bytes);
    }
  }
  [[noreturn]] void throw_no_room(std::uint64_t room, std::uint64_t bytes) const;
  [[noreturn]] void throw_not_whole(const Snapshot& snapshot) const;

  /// One whole frame in the reading, try by try. All that is done while nobody disturbs is a few
  /// loads: no clock is looked at before the first try has failed.
  class SHMIM_EXPORT Reading {
   public:
    enum class What { pixels, newest, trace };
    /// Without a deadline, one second from the first try that failed. What is found out stands in
    /// `result`, which is given back as it is: to copy it would take as long as a small frame.
    Reading(const Stream& stream, What what, const Deadline* deadline, Snapshot& result) noexcept
        : core_(*stream.core_), what_(what), result_(result), given_(deadline) {}
    /// Begins a try; false if there is no frame to be had at the moment. Throws Error (on_gpu).
    [[nodiscard]] bool begin();
    /// The frame to copy in this try; empty if it is the trace that is read.
    [[nodiscard]] std::span<const std::byte> frame() const noexcept { return frame_; }
    /// Ends a try: true if what was copied since it began is of one whole frame. Throws Error
    /// (wrong_size).
    [[nodiscard]] bool end();
    /// Waits a little after a try that failed; false if there is no use in another.
    [[nodiscard]] bool pause();

   private:
    [[nodiscard]] bool begin_plane();
    [[nodiscard]] bool begin_in_buffer();

    const Core& core_;
    What what_;
    std::span<const std::byte> frame_;
    std::optional<PlaneRing::Found> plane_;      ///< where the newest plane is read
    std::optional<CircularBuffer::Found> slot_;  ///< where it is one of the circular buffer
    Snapshot& result_;
    const Deadline* given_;
    Deadline deadline_;
    std::chrono::steady_clock::time_point begin_;  ///< of the waiting
  };
  template <class Copy>
  Snapshot read_whole(Reading::What what, const Deadline* deadline, Copy&& copy) const {
    Snapshot result;
    Reading reading(*this, what, deadline, result);
    do {
      if (reading.begin()) {
        copy(reading.frame());
        if (reading.end()) {
          break;
        }
      }
    } while (reading.pause());
    return result;
  }

  std::shared_ptr<const Core> core_;
  const layout::Metadata* header_;  ///< of the mapping
};

}  // namespace shmim
