// Frames that are made: shmim::TestPattern.

#include <shmim/test_pattern.hpp>

#include "post/source.hpp"

namespace shmim::tools {
namespace {

class PatternFrames final : public FrameSource {
 public:
  PatternFrames(const std::string& pattern, const FrameKind& kind, std::uint64_t seed,
                std::uint64_t next_cnt0)
      : pattern_(pattern, kind.type, kind.shape, seed),
        number_(pattern_.is_counter() ? next_cnt0 : 0) {}

  bool next(std::span<std::byte> frame) override {
    if (!pattern_.is_counter()) {
      pattern_.fill(number_++, never, frame);
    }
    return true;
  }

  void stamp(std::span<std::byte> frame) override {
    if (pattern_.is_counter()) {
      pattern_.fill(number_++, TaiClock::now(), frame);
    }
  }

  bool rewind() override { return false; }  // it does not end

 private:
  TestPattern pattern_;
  std::uint64_t number_;  ///< of the next frame
};

}  // namespace

std::unique_ptr<FrameSource> pattern_frames(const std::string& pattern, const FrameKind& kind,
                                            std::uint64_t seed, std::uint64_t next_cnt0) {
  return std::make_unique<PatternFrames>(pattern, kind, seed, next_cnt0);
}

}  // namespace shmim::tools
