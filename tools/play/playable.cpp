#include "play/playable.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/fits.hpp>
#include <shmim/frames.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/descriptor.hpp"

namespace shmim::tools {
namespace {

/// Frames whose place in the file is known.
class RecordingFile final : public Playable {
 public:
  explicit RecordingFile(const std::string& file) : recording_(file) {
    recorded() = recording_.stream();
  }

  [[nodiscard]] std::size_t keywords() const override {
    std::size_t most = 0;
    for (std::uint64_t index = 0; index < recording_.frames(); ++index) {
      most = std::max(most, recording_.frame(index).keywords.size());
    }
    return most;
  }

  [[nodiscard]] std::chrono::seconds tai_ahead() const override {
    return recording_.tai_offset() - tai_offset();
  }

  std::optional<RecordedFrame> next() override {
    if (next_ == recording_.frames()) {
      return std::nullopt;
    }
    return recording_.frame(next_++);
  }
  void read(std::span<std::byte> pixels) override { recording_.read(next_ - 1, pixels); }
  void rewind() override { next_ = 0; }

 private:
  Recording recording_;
  std::uint64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Playable> play_recording(const std::string& file) {
  return std::make_unique<RecordingFile>(file);
}

std::unique_ptr<Playable> open_playable(const std::string& file) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) {
    throw Error(Problem::failed, file,
                fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(Problem::failed, file, "is not a regular file; save it to disk first");
  }
  std::array<char, 16> buffer{};
  const std::size_t size =
      read_some(descriptor.get(), std::as_writable_bytes(std::span(buffer)), file);
  const std::string_view bytes(buffer.data(), size);
  if (bytes.empty()) {
    throw Error(Problem::failed, file, "is empty");
  }
  if (bytes.starts_with(frames_beginning)) {
    return play_frames(file);
  }
  if (bytes.starts_with("\x93NUMPY")) {
    return play_arrays(file);
  }
  const bool is_gzip = bytes.starts_with("\x1f\x8b");
  if (!is_gzip && !looks_like_fits(std::as_bytes(std::span(bytes)))) {
    throw Error(Problem::failed, file,
                "is none of what can be played: a recording, FITS, npy, or frames of shmim-cat");
  }
  return is_recording(file) ? play_recording(file) : play_images(file);
}

Shape usual_frame(const Shape& array) {
  return array.axes() == layout::max_axes ? Shape{array[0], array[1]} : array;
}

}  // namespace shmim::tools
