#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shmim::tools {

enum class Style { plain, heading, selected, warning, faint };

/// The keys that are no character.
namespace key {
inline constexpr int up = 0x1000001;
inline constexpr int down = 0x1000002;
inline constexpr int left = 0x1000003;
inline constexpr int right = 0x1000004;
inline constexpr int page_up = 0x1000005;
inline constexpr int page_down = 0x1000006;
inline constexpr int home = 0x1000007;
inline constexpr int end = 0x1000008;
inline constexpr int enter = 0x1000009;
inline constexpr int escape = 0x100000A;
inline constexpr int backspace = 0x100000B;
inline constexpr int resize = 0x100000C;
inline constexpr int gone = 0x100000D;  ///< the terminal is there no more
}  // namespace key

/// The screen of a terminal, from construction to destruction; there is one at a time. Whatever
/// ends the process but SIGKILL, the terminal is given back as it was.
class Terminal {
 public:
  /// Throws Error where there is no terminal, or none that can be drawn on.
  Terminal();
  Terminal(const Terminal&) = delete;
  Terminal(Terminal&&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  [[nodiscard]] int rows() const noexcept;
  [[nodiscard]] int columns() const noexcept;
  /// False where only ASCII can be shown.
  [[nodiscard]] bool is_unicode() const noexcept { return unicode_; }
  /// Shades of grey that pixels can have: 64 with true colour, 24 with 256 colours; 0 where only
  /// characters tell dark from bright.
  [[nodiscard]] unsigned shades() const noexcept { return shades_; }

  void clear() noexcept;
  /// Text that is printable, cut where the screen ends.
  void put(int row, int column, std::string_view text, Style style = Style::plain);
  /// Two pixels, one above the other, by their shades.
  void put_pixels(int row, int column, unsigned upper, unsigned lower) noexcept;
  /// Shows what was put since clear().
  void show() noexcept;

  /// The next key; nothing once the time has passed, or a signal came.
  [[nodiscard]] std::optional<int> read_key(std::chrono::milliseconds patience) noexcept;

 private:
  bool unicode_;
  unsigned shades_ = 0;
};

}  // namespace shmim::tools
