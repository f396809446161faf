#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <shmim/shmim.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// Writes frames to standard output as one array of NumPy, whose header comes first and says how
/// many they are.
class NpySeries {
 public:
  NpySeries(DataType type, const Shape& shape, std::uint64_t promised)
      : type_(type), shape_(shape), promised_(promised) {}

  [[nodiscard]] std::uint64_t promised() const noexcept { return promised_; }
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  /// Throws what write_stdout() throws.
  void write(std::span<const std::byte> frame);
  /// No more frames than were written. Corrects the header, if there is one; false where that is
  /// beyond reach, as in a pipe.
  [[nodiscard]] bool end_early() const;

 private:
  DataType type_;
  Shape shape_;
  std::uint64_t promised_;
  std::uint64_t written_ = 0;
  std::size_t header_bytes_ = 0;
  std::optional<off_t> header_at_;  ///< where in a file it stands that can be written again
};

}  // namespace shmim::tools
