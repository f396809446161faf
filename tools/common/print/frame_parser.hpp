#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// Reads frames as text, as to_text() writes them: numbers apart by blanks, line by line. Takes the
/// text in whatever pieces it comes, and a frame is complete with the line of its last number.
/// Lines are rows, or hold one number each, or several rows; an empty line stands between planes or
/// frames.
class FrameParser {
 public:
  /// `subject` is for messages.
  FrameParser(std::string subject, DataType type, const Shape& shape);

  /// Takes of `text` what stands in front of the next frame.
  [[nodiscard]] std::size_t skip_blanks(std::string_view text);
  /// Takes of `text` what belongs to the frame, at most until it is complete. Gives how much that
  /// was. Throws Error (failed): what is not a number, does not fit, or stands where no row has it.
  [[nodiscard]] std::size_t take(std::string_view text, std::span<std::byte> frame);
  /// There is no more text. Throws as take() does, and where that ends within a frame.
  void end(std::span<std::byte> frame);

  /// True where a whole frame has been taken, and nothing of another.
  [[nodiscard]] bool is_complete() const noexcept { return taken_ == elements_ && in_line_ == 0; }
  /// The next frame is another.
  void begin_frame() noexcept { taken_ = 0; }

 private:
  void take_word(std::string_view word, std::span<std::byte> frame);
  void end_line();
  [[noreturn]] void refuse(const std::string& why) const;
  std::string subject_;
  DataType type_;
  std::size_t columns_;
  std::size_t plane_;  ///< elements of one
  std::size_t elements_;
  std::size_t taken_ = 0;
  std::size_t in_line_ = 0;  ///< numbers so far
  std::size_t line_ = 1;
  std::string begun_;  ///< of a word that goes on in the next piece
};

}  // namespace shmim::tools
