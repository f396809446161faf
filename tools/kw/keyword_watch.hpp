#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// The keywords of a stream as they change, each look at them with the frame that it is of. A
/// stream that is re-created with the same format is followed on.
class KeywordWatch {
 public:
  /// Looks at once.
  KeywordWatch(Stream stream, std::function<bool()> cancelled);

  [[nodiscard]] const Follower& follower() const noexcept { return follower_; }
  [[nodiscard]] const Stream& stream() const noexcept { return follower_.stream(); }

  // As of the last look.

  [[nodiscard]] const std::vector<Keyword>& keywords() const noexcept { return keywords_; }
  [[nodiscard]] std::optional<Keyword> find(std::string_view name) const;
  [[nodiscard]] std::uint64_t cnt0() const noexcept { return frame_.cnt0; }
  /// Never, where the writer of the frame stamps no time.
  [[nodiscard]] Tai written() const noexcept { return written_; }

  /// Looks with each frame, and every 2 ms between frames, until `is_done()`: that is `arrived`.
  [[nodiscard]] Arrival look_until(const std::function<bool()>& is_done, Deadline deadline);

 private:
  void look();
  Follower follower_;
  std::vector<Keyword> keywords_;
  FrameInfo frame_;
  Tai written_ = never;
  unsigned recreations_ = 0;
};

}  // namespace shmim::tools
