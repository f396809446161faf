#include "cat/series.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/stdout.hpp"
#include "common/print/npy.hpp"

namespace shmim::tools {
namespace {

/// Where in the file standard output stands; nullopt where only its end can be written to.
std::optional<off_t> position_in_file() noexcept {
  struct stat status {};
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  const off_t position = ::lseek(STDOUT_FILENO, 0, SEEK_CUR);
  const bool is_file = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  return is_file && position >= 0 && (flags & O_APPEND) == 0 ? std::optional(position)
                                                             : std::nullopt;
}

/// False where a file does not take it all.
bool write_at(std::span<const std::byte> bytes, off_t offset) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(STDOUT_FILENO, bytes.data(), bytes.size(), offset);
    if (written <= 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(std::max(written, ssize_t{0})));
    offset += std::max(written, ssize_t{0});
  }
  return true;
}

}  // namespace

void NpySeries::write(const TakenFrame& /*taken*/, const std::vector<Keyword>& /*keywords*/,
                      std::span<const std::byte> frame) {
  if (header_bytes_ == 0) {
    const std::string header = npy_header(type_, shape_, promised());
    header_at_ = position_in_file();
    header_bytes_ = header.size();
    write_stdout(header);
  }
  write_stdout(frame);
  count();
}

bool NpySeries::end_early() {
  if (header_bytes_ == 0) {
    return true;
  }
  const std::string header = npy_header(type_, shape_, written(), header_bytes_);
  return header_at_ && write_at(std::as_bytes(std::span(header)), *header_at_);
}

FitsSeries::FitsSeries(RecordedStream stream, std::uint64_t promised, StampClock clock,
                       WriteBytes write)
    : Series(promised), stream_(std::move(stream)), clock_(clock), write_(std::move(write)) {}

/// At the end a file is written to at its place: a frame of which a part was written has moved on
/// where standard output stands.
void FitsSeries::put(std::span<const std::byte> bytes) {
  if (!table_at_) {
    return write_(bytes);
  }
  if (!write_at(bytes, *table_at_)) {
    throw Error::system("standard output", "cannot be written", errno);
  }
  *table_at_ += static_cast<off_t>(bytes.size());
}

void FitsSeries::write(const TakenFrame& taken, const std::vector<Keyword>& keywords,
                       std::span<const std::byte> frame) {
  if (!sequence_) {
    header_at_ = position_in_file();
    stream_.keywords = keywords;
    stream_.trace = taken.trace;
    sequence_.emplace(stream_, promised(),
                      [this](std::span<const std::byte> bytes) { put(bytes); });
  }
  FrameInfo info = taken.info;
  info.atime = on_tai(info.atime, clock_);
  info.writetime = on_tai(info.writetime, clock_);
  sequence_->write(info, taken.missed, keywords, frame);
  count();
}

void FitsSeries::end() {
  const std::vector<std::byte> header = sequence_->finish();
  if (header_at_ && !write_at(header, *header_at_)) {
    throw Error::system("standard output", "cannot be written", errno);
  }
}

bool FitsSeries::end_early() {
  if (!sequence_) {
    return true;
  }
  if (!header_at_) {
    return false;
  }
  try {
    table_at_ = *header_at_ + static_cast<off_t>(sequence_->bytes());
    const std::vector<std::byte> header = sequence_->finish();
    // Without a frame there is nothing; and what a part of one has left is not to follow the table.
    return ::ftruncate(STDOUT_FILENO, header.empty() ? *header_at_ : *table_at_) == 0 &&
           write_at(header, *header_at_);
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace shmim::tools
