#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "shmim/element.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"
#include "shmim/frame_info.hpp"
#include "shmim/keywords.hpp"
#include "shmim/trace.hpp"

namespace shmim {

/// A frame with all that is known of it, its pixels apart, as it goes through pipes, files and
/// networks: shmim-frames(5). What a sender does not say is as it is here.
struct SHMIM_EXPORT FrameRecord {
  std::string name;  ///< of the stream that it was taken from
  DataType type = DataType::uint8;
  Shape shape;
  std::uint64_t image_type = layout::image_math_data;  ///< of that stream
  FrameInfo info;                                      ///< but for the accesstime
  std::uint64_t missed = 0;                            ///< frames before it that were not taken
  std::vector<Keyword> keywords;
  std::vector<TraceEntry> trace;  ///< the steps that led to it, newest first; empty: not known
  ino_t inode = 0;                ///< of that stream; 0 not known
  std::string boot;  ///< boot_id() where it was taken: PIDs and inodes mean nothing elsewhere

  /// Of the pixels.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return shape.elements() * element_size(type);
  }
  friend bool operator==(const FrameRecord&, const FrameRecord&) = default;
};

/// What `frames` begin with, when the sender is one of ours: the tag of self-described CBOR.
inline constexpr std::string_view frames_beginning = "\xd9\xd9\xf7";

/// All of a frame that comes before its pixels; the pixels, and nothing else, come after it.
[[nodiscard]] SHMIM_EXPORT std::string frame_head(const FrameRecord& frame);

/// Reads `frames`, one after the other. Throws Error (failed) for what is none, which is then read
/// no further. Not thread-safe.
class SHMIM_EXPORT FrameReader {
 public:
  /// Gives what there is, as much as fits at most; 0 at the end. May block, and may throw.
  using ReadSome = std::function<std::size_t(std::span<std::byte>)>;

  /// `source` is what messages call it.
  FrameReader(std::string source, ReadSome read);
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(const FrameReader&) = delete;
  FrameReader& operator=(FrameReader&&) noexcept;

  /// Blocks until a frame begins to come; false at the end.
  [[nodiscard]] bool wait();
  /// Reads a frame up to its pixels; nullopt at the end. Pixels of the frame before that have not
  /// been read are passed over. No more memory is taken than what has come asks for, and 16 MiB at
  /// most, whatever sizes it claims.
  [[nodiscard]] std::optional<FrameRecord> next();
  /// Reads all pixels of the frame that next() gave. Throws Error (usage) unless they are as many
  /// as `pixels` has room for.
  void read(std::span<std::byte> pixels);

 private:
  class Source;
  std::unique_ptr<Source> source_;
};

}  // namespace shmim
