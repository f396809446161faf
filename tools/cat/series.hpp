#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <shmim/fits.hpp>
#include <shmim/recording.hpp>
#include <shmim/shmim.hpp>
#include <sys/types.h>

namespace shmim::tools {

/// Frames on standard output as one array, whose header comes first and says how many they are.
class Series {
 public:
  explicit Series(std::uint64_t promised) : promised_(promised) {}
  virtual ~Series() = default;
  Series(const Series&) = delete;
  Series(Series&&) = delete;
  Series& operator=(const Series&) = delete;
  Series& operator=(Series&&) = delete;

  [[nodiscard]] std::uint64_t promised() const noexcept { return promised_; }
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  /// Throws what write_stdout() throws.
  virtual void write(const TakenFrame& taken, const std::vector<Keyword>& keywords,
                     std::span<const std::byte> frame) = 0;
  /// All have been written. Throws what write_stdout() throws.
  virtual void end() = 0;
  /// No more frames than were written. Makes it whole, if there is anything; false where that is
  /// beyond reach, as in a pipe.
  [[nodiscard]] virtual bool end_early() = 0;
  /// `npy`, `FITS`
  [[nodiscard]] virtual std::string_view format() const noexcept = 0;

 protected:
  /// Another frame has been written.
  void count() noexcept { ++written_; }

 private:
  std::uint64_t promised_;
  std::uint64_t written_ = 0;
};

/// As one array of NumPy.
class NpySeries final : public Series {
 public:
  NpySeries(DataType type, const Shape& shape, std::uint64_t promised)
      : Series(promised), type_(type), shape_(shape) {}

  void write(const TakenFrame& taken, const std::vector<Keyword>& keywords,
             std::span<const std::byte> frame) override;
  void end() override {}
  [[nodiscard]] bool end_early() override;
  [[nodiscard]] std::string_view format() const noexcept override { return "npy"; }

 private:
  DataType type_;
  Shape shape_;
  std::size_t header_bytes_ = 0;
  std::optional<off_t> header_at_;  ///< where in a file it stands that can be written again
};

/// As a recording: a cube, and a table with what is known of each.
class FitsSeries final : public Series {
 public:
  FitsSeries(RecordedStream stream, std::uint64_t promised, StampClock clock, WriteBytes write);

  void write(const TakenFrame& taken, const std::vector<Keyword>& keywords,
             std::span<const std::byte> frame) override;
  void end() override;
  [[nodiscard]] bool end_early() override;
  [[nodiscard]] std::string_view format() const noexcept override { return "FITS"; }

 private:
  void put(std::span<const std::byte> bytes);
  RecordedStream stream_;
  StampClock clock_;
  WriteBytes write_;
  std::optional<off_t> header_at_;  ///< where in a file it stands that can be written again
  std::optional<off_t> table_at_;   ///< in the file, where frames are lacking
  std::optional<RecordingSequence> sequence_;
};

}  // namespace shmim::tools
