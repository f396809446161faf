#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// Where shmim-post takes its frames from.
class FrameSource {
 public:
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource(FrameSource&&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;
  FrameSource& operator=(FrameSource&&) = delete;
  virtual ~FrameSource() = default;

  /// Blocks until the next frame begins to arrive, or there is none any more.
  virtual void wait() {}
  /// Reads one whole frame; false at the end. Throws Error where the data ends within a frame.
  virtual bool next(std::span<std::byte> frame) = 0;
  /// When the frame that was read last was acquired, where the source says so.
  [[nodiscard]] virtual std::optional<Tai> atime() const { return std::nullopt; }
  /// Begins again; false where that cannot be done.
  virtual bool rewind() = 0;
};

/// Frames from a file, or from standard input for `-`: raw, one after the other, or FITS, where
/// each image is a frame, or several if it has an axis more. Throws Error: not_found, mismatch
/// (FITS of another type or shape).
std::unique_ptr<FrameSource> open_frames(const std::string& file, DataType type,
                                         const Shape& shape);

}  // namespace shmim::tools
