// Frames with their identity, as shmim-frames(5) has them.

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/io/pipe.hpp"
#include "post/source.hpp"

namespace shmim::tools {
namespace {

class RecordedFrames final : public FrameSource {
 public:
  RecordedFrames(std::unique_ptr<Input> input, const FrameKind& kind)
      : input_(std::move(input)), kind_(kind), reader_(read()) {}

  void wait() override { static_cast<void>(reader_.wait()); }

  bool next(std::span<std::byte> frame) override {
    record_ = reader_.next();
    if (!record_) {
      return false;
    }
    if (record_->type != kind_.type || record_->shape != kind_.shape) {
      throw Error(
          Problem::mismatch, input_->name(),
          fmt::format("has frames of {} {}, not {} {}", to_string(record_->type),
                      to_string(record_->shape), to_string(kind_.type), to_string(kind_.shape)));
    }
    reader_.read(frame);
    return true;
  }

  [[nodiscard]] std::optional<Tai> atime() const override {
    return record_ && is_date(record_->info.atime) ? std::optional(record_->info.atime)
                                                   : std::nullopt;
  }

  [[nodiscard]] const FrameRecord* record() const override { return record_ ? &*record_ : nullptr; }

  bool rewind() override {
    if (!input_->rewind()) {
      return false;
    }
    reader_ = read();
    return true;
  }

 private:
  [[nodiscard]] FrameReader read() const {
    return {input_->name(),
            [input = input_.get()](std::span<std::byte> room) { return input->read_some(room); }};
  }

  std::unique_ptr<Input> input_;
  FrameKind kind_;
  FrameReader reader_;
  std::optional<FrameRecord> record_;
};

}  // namespace

Format format_of_recorded(Input& input) {
  std::size_t seen = 0;
  FrameReader reader(input.name(), [&](std::span<std::byte> room) {
    const auto ahead = input.peek(seen + 1).subspan(seen);
    const std::size_t size = std::min(room.size(), ahead.size());
    std::copy_n(ahead.begin(), size, room.begin());
    seen += size;
    return size;
  });
  const auto record = reader.next();
  if (!record) {
    throw Error(Problem::failed, input.name(), "ended without a frame");
  }
  Format format;
  format.type = record->type;
  format.shape = record->shape;
  const std::uint64_t usual = std::exchange(format.image_type, record->image_type);
  if (record->shape.axes() != layout::max_axes || format.is_circular()) {
    format.image_type = usual;  // it is of the array that these frames were cut from
  }
  format.keywords = static_cast<std::uint16_t>(
      std::clamp<std::size_t>(record->keywords.size(), format.keywords, UINT16_MAX));
  return format;
}

std::unique_ptr<FrameSource> recorded_frames(std::unique_ptr<Input> input, const FrameKind& kind) {
  widen_pipe(input->descriptor(), kind.bytes());
  return std::make_unique<RecordedFrames>(std::move(input), kind);
}

}  // namespace shmim::tools
