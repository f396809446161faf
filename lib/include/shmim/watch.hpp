#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): timespec is POSIX's

#include "shmim/description.hpp"
#include "shmim/export.hpp"
#include "shmim/rate.hpp"
#include "shmim/segment.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// A stream under observation.
struct SHMIM_EXPORT Watched {
  Description description;  ///< counters and times of the last look, the rest within a second of it
  Rate rate;                ///< over the last seconds
  /// Frames of its trigger stream that its writer did not take, since the first look, by the trace;
  /// nullopt if it is not triggered by a stream.
  std::optional<std::uint64_t> missed;
  unsigned recreated = 0;  ///< times, since the first look

  /// Bytes of pixels per second, where the rate is known. Of a circular stream a frame is one
  /// slice.
  [[nodiscard]] std::optional<double> bytes_per_second() const noexcept;
};

/// Watches every stream of a directory. Each look costs a few loads per stream and no more, so that
/// ten looks a second at a thousand streams are no load. Claims and writes nothing. Keeps the
/// streams open, one descriptor each; those for which none is left are unreadable (no_descriptor),
/// and eight are kept free for others to use. Not thread-safe.
class SHMIM_EXPORT Watcher {
 public:
  /// Streams whose names match one of the shell patterns. Throws Error (no_directory).
  explicit Watcher(const std::filesystem::path& directory,
                   std::vector<std::string> patterns = {"*"});

  /// One look. Streams that have appeared, vanished or been re-created since are noticed. Throws
  /// Error (no_directory) where the directory is gone.
  void look();

  /// As of the last look, by name.
  [[nodiscard]] const std::vector<Watched>& streams() const noexcept { return streams_; }
  /// One of them, open; null if there is none or it is unreadable.
  [[nodiscard]] const Stream* stream(std::string_view name) const noexcept;
  [[nodiscard]] ProcessTable& processes() noexcept { return processes_; }

 private:
  /// What is needed to watch a stream and nobody else's business. In the order of streams_.
  struct Watch {
    std::optional<Stream> stream;
    FrameLog log;
    ino_t trigger_inode = 0;
    std::uint64_t trigger_cnt0 = 0;  ///< and
    std::uint64_t cnt0 = 0;          ///< of the stream, when it was first seen with this trigger
  };
  [[nodiscard]] bool has_changed() noexcept;
  void list();
  void open(const std::string& name, Watched& watched, Watch& watch);
  void describe_anew(Watched& watched, Watch& watch);
  static void count_missed(Watched& watched, Watch& watch) noexcept;
  static void take_rate(Watched& watched, Watch& watch);

  std::filesystem::path directory_;
  std::vector<std::string> patterns_;
  std::vector<Watched> streams_;
  std::vector<Watch> watches_;
  ProcessTable processes_;
  timespec changed_{};
  bool was_settled_ = false;
  std::optional<std::chrono::steady_clock::time_point> last_listing_;
};

/// As names_by_inode() of a directory, of the streams as they were seen last.
[[nodiscard]] SHMIM_EXPORT std::map<ino_t, std::string> names_by_inode(
    const std::vector<Watched>& streams);

}  // namespace shmim
