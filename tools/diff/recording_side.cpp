#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <shmim/recording.hpp>

#include "diff/side.hpp"

namespace shmim::tools {
namespace {

class RecordingSide final : public Side {
 public:
  explicit RecordingSide(const std::string& file) : file_(file), recording_(file) {}

  bool next(SideFrame& frame) override {
    if (next_ == recording_.frames()) {
      return false;
    }
    const RecordedStream& stream = recording_.stream();
    frame.type = stream.type;
    frame.shape = stream.shape;
    frame.pixels.resize(stream.frame_bytes());
    recording_.read(next_, frame.pixels);
    RecordedFrame known = recording_.frame(next_);
    frame.keywords = std::move(known.keywords);
    frame.cnt0 = known.info.cnt0;
    ++next_;
    return true;
  }
  [[nodiscard]] bool is_fits() const noexcept override { return true; }
  [[nodiscard]] Several several() const override {
    const RecordedStream& stream = recording_.stream();
    const bool is_complex =
        stream.type == DataType::complex64 || stream.type == DataType::complex128;
    std::string last = file_ + "[";
    for (std::size_t axis = is_complex ? 0 : 1; axis <= stream.shape.axes(); ++axis) {
      last += "*,";
    }
    last += fmt::format("{0}:{0}]", recording_.frames());
    return {fmt::format("is a recording of {} frames: name one, as in '{}', which is the last, or "
                        "compare all with another file",
                        recording_.frames(), last),
            last};
  }

 private:
  std::string file_;
  Recording recording_;
  std::uint64_t next_ = 0;
};

/// The frame that a section is of, from 0: its last range has but one number.
std::optional<std::uint64_t> frame_of_section(const std::string& brackets) {
  const std::size_t begin = brackets.find_last_of(",[");
  const std::string_view range =
      std::string_view(brackets).substr(begin + 1, brackets.size() - begin - 2);
  const std::size_t colon = range.find(':');
  const auto first = parse_number<std::uint64_t>(range.substr(0, colon));
  const auto last =
      colon == range.npos ? std::nullopt : parse_number<std::uint64_t>(range.substr(colon + 1));
  return first && first == last && *first > 0 ? std::optional(*first - 1) : std::nullopt;
}

/// A part of the cube. Its keywords are those of the stream, as with its frame: what else stands in
/// the header is of the recording.
class RecordedSection final : public Side {
 public:
  RecordedSection(const std::string& file, const std::string& brackets)
      : recording_(file),
        index_(frame_of_section(brackets)),
        image_(fits_side(file + brackets, Reading::image)) {}

  bool next(SideFrame& frame) override {
    if (!image_->next(frame)) {
      return false;
    }
    std::vector<Keyword> keywords = recording_.stream().keywords;
    if (index_ && *index_ < recording_.frames()) {
      RecordedFrame known = recording_.frame(*index_);
      keywords = std::move(known.keywords);
      frame.cnt0 = known.info.cnt0;
    }
    for (Keyword& keyword : keywords) {
      // There world coordinates are moved along with the pixels.
      const auto of_image = std::ranges::find(*frame.keywords, keyword.name, &Keyword::name);
      keyword = of_image == frame.keywords->end() ? keyword : *of_image;
    }
    frame.keywords = std::move(keywords);
    return true;
  }
  [[nodiscard]] bool is_fits() const noexcept override { return true; }

 private:
  Recording recording_;
  std::optional<std::uint64_t> index_;
  std::unique_ptr<Side> image_;
};

}  // namespace

std::unique_ptr<Side> recording_side(const std::string& file) {
  return std::make_unique<RecordingSide>(file);
}

std::unique_ptr<Side> recorded_section(const std::string& file, const std::string& brackets) {
  return std::make_unique<RecordedSection>(file, brackets);
}

}  // namespace shmim::tools
