#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "shmim/export.hpp"
#include "shmim/layout.hpp"

namespace shmim {

/// A FITS-style keyword. The file holds at most 16 bytes of name, 16 of a string and 80 of comment.
struct Keyword {
  std::string name;
  std::variant<std::int64_t, double, std::string> value;
  std::string comment;
  friend bool operator==(const Keyword&, const Keyword&) = default;
};

/// The value as text: shortest exact form of a number, a string as it is.
[[nodiscard]] SHMIM_EXPORT std::string to_string(const Keyword& keyword);

/// Why a stream cannot hold this keyword; nullopt if it can.
[[nodiscard]] SHMIM_EXPORT std::optional<std::string> keyword_error(const Keyword& keyword);

/// `string of 16 bytes`, or the name or the comment, which fills its place: programs of the C
/// library look for the zero behind it, and take what follows for a part of it. nullopt if none
/// does.
[[nodiscard]] SHMIM_EXPORT std::optional<std::string> unterminated_part(const Keyword& keyword);

/// Reads `NAME=VALUE[/comment]`. An integer becomes an int64, another number a double, anything
/// else a string; single quotes make a string of whatever they hold (`''` is one quote). With a
/// type, `L`, `D` or `S`, the value is of that type or refused. Throws Error (usage).
[[nodiscard]] SHMIM_EXPORT Keyword parse_keyword(std::string_view assignment,
                                                 std::optional<char> type = std::nullopt);

/// The keyword table of a stream: a view, which keeps the stream mapped. Any process may write a
/// slot at any time; each call reads or writes a slot as a whole, also against programs of this
/// library in other processes. (The C library writes slots unprotected.) Thread-safe likewise.
class SHMIM_EXPORT Keywords {
 public:
  /// `stream` is the name of the stream, and keeps its mapping as long as this view is there.
  Keywords(std::span<layout::KeywordSlot> slots, bool writable,
           std::shared_ptr<const std::string> stream = {}) noexcept
      : slots_(slots), stream_(std::move(stream)), writable_(writable) {}

  // Reading or writing a slot takes less than a microsecond. It blocks, for 20 ms at most, on a
  // slot whose writer was killed in the middle, and for 200 ms at most on one that others alter all
  // the time; on all such slots of the table at once.

  // The list ends at a slot of zeros, which pyMilk writes behind a shorter list than the one
  // before.

  /// Slots there are, used or not.
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  /// The used slots, in order.
  [[nodiscard]] std::vector<Keyword> all() const;
  /// The keyword of that name; nullopt if there is none.
  [[nodiscard]] std::optional<Keyword> find(std::string_view name) const;
  /// The value of a keyword: as a floating-point number, of an integer or real one; as an integer,
  /// of an integer one; or as a string. nullopt if there is no such keyword. Throws Error
  /// (mismatch) if its value is of another kind, or does not fit.
  template <class T>
  requires std::integral<T> || std::floating_point<T> || std::same_as<T, std::string>
  [[nodiscard]] std::optional<T> get(std::string_view name) const {
    const std::optional<Keyword> keyword = find(name);
    if (!keyword) {
      return std::nullopt;
    }
    if constexpr (std::same_as<T, std::string>) {
      if (const auto* text = std::get_if<std::string>(&keyword->value)) {
        return *text;
      }
    } else {
      if (const auto* integer = std::get_if<std::int64_t>(&keyword->value)) {
        bool fits = true;
        if constexpr (!std::floating_point<T>) {
          fits = std::in_range<T>(*integer);
        }
        if (fits) {
          return static_cast<T>(*integer);
        }
      }
      if constexpr (std::floating_point<T>) {
        if (const auto* real = std::get_if<double>(&keyword->value)) {
          return static_cast<T>(*real);
        }
      }
    }
    throw_other_kind(*keyword);
  }
  /// Waits until the keyword has that value; false if it has not when the time is over. Looks every
  /// 5 ms: no semaphore tells of a keyword. Blocks, signals or not.
  [[nodiscard]] bool wait(std::string_view name,
                          const std::variant<std::int64_t, double, std::string>& value,
                          std::chrono::nanoseconds timeout) const;
  /// Replaces the keyword of that name or takes the first unused slot. Keeps the old comment if the
  /// new one is empty. Waits for others who are writing keywords: 20 ms if one was killed at it,
  /// 200 ms if they never come to rest. Throws Error: usage (does not fit), failed (table full),
  /// not_ours_to_write.
  void set(const Keyword& keyword) const;
  /// Sets all of them; none if one does not fit. No keywords: nothing is looked at, or waited for.
  void set(std::span<const Keyword> keywords) const;
  /// Closes the gap: many a reader stops at the first. True where there was one.
  bool erase(std::string_view name) const;

 private:
  friend class KeywordWriter;
  void require_settable(const Keyword& keyword) const;
  [[noreturn]] void throw_full(const Keyword& keyword) const;
  [[noreturn]] void throw_other_kind(const Keyword& keyword) const;
  [[nodiscard]] std::string subject() const { return stream_ ? *stream_ : std::string(); }
  void require_writable() const;
  std::span<layout::KeywordSlot> slots_;
  std::shared_ptr<const std::string> stream_;
  bool writable_;
};

/// Sets the same keywords again and again, with each frame say. Their slots are looked for ahead,
/// so that write() neither reads the table nor fails. Keeps the stream mapped.
class SHMIM_EXPORT KeywordWriter {
 public:
  /// Throws Error: usage (one does not fit), not_ours_to_write.
  KeywordWriter(Keywords table, std::vector<Keyword> keywords);

  /// Finds a slot for each: nothing to do if each is still where it was. Waits as Keywords::set()
  /// does. Throws Error (failed) if the table is full.
  void prepare();
  /// Writes them to the slots found by prepare(), or to others where another keyword has come to
  /// stand there since; one for which no slot is left then is left out. Waits 20 ms for a slot
  /// whose writer was killed.
  void write() const noexcept;

 private:
  [[nodiscard]] bool is_prepared() const noexcept;
  Keywords table_;
  std::vector<Keyword> keywords_;
  std::vector<layout::KeywordSlot*> places_;  ///< of each keyword; empty until they are found
};

}  // namespace shmim
