// Frames with their identity, as shmim-frames(5) has them.

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/frames.hpp>
#include <unistd.h>

#include "common/io/descriptor.hpp"
#include "play/playable.hpp"

namespace shmim::tools {
namespace {

class FramesFile final : public Playable {
 public:
  explicit FramesFile(const std::string& file)
      : file_(file),
        descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
        reader_(file, [this](std::span<std::byte> room) {
          return read_some(descriptor_.get(), room, file_);
        }) {
    const auto first = reader_.next();
    if (!first) {
      throw Error(Problem::failed, file, "ended without a frame");
    }
    recorded().name = first->name;
    recorded().type = first->type;
    recorded().shape = first->shape;
    recorded().image_type = first->image_type;
    keywords_ = first->keywords.size();
    rewind();
  }

  [[nodiscard]] std::size_t keywords() const override { return keywords_; }

  std::optional<RecordedFrame> next() override {
    auto record = reader_.next();
    if (!record) {
      return std::nullopt;
    }
    if (record->type != recorded().type || record->shape != recorded().shape) {
      throw Error(Problem::mismatch, file_,
                  fmt::format("frame {} is {} {}, and the first is {} {}", record->info.cnt0,
                              to_string(record->type), to_string(record->shape),
                              to_string(recorded().type), to_string(recorded().shape)));
    }
    return RecordedFrame{record->info, record->missed, std::move(record->keywords)};
  }

  void read(std::span<std::byte> pixels) override { reader_.read(pixels); }

  void rewind() override {
    if (::lseek(descriptor_.get(), 0, SEEK_SET) < 0) {
      throw Error::system(file_, "cannot be read from its start", errno);
    }
    reader_ = FrameReader(file_, [this](std::span<std::byte> room) {
      return read_some(descriptor_.get(), room, file_);
    });
  }

 private:
  std::string file_;
  FileDescriptor descriptor_;
  FrameReader reader_;
  std::size_t keywords_ = 0;
};

}  // namespace

std::unique_ptr<Playable> play_frames(const std::string& file) {
  return std::make_unique<FramesFile>(file);
}

}  // namespace shmim::tools
