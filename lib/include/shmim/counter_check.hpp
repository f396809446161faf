#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"

namespace shmim {

/// Number and time of a frame, as the pattern `counter` has them in the pixels: shmim-post(1).
struct CounterMark {
  std::uint64_t number = 0;  ///< its low 42 bits; of a frame of fewer than 7 numbers less
  Tai time = never;          ///< in whole microseconds; never where the frame has no room for it
  friend bool operator==(const CounterMark&, const CounterMark&) = default;
};

/// What is wrong with a frame, or with what came before it.
struct CounterFault {
  enum class Kind {
    unmarked,      ///< the pixels are not of a counter
    torn,          ///< there are parts of several frames in it
    lost,          ///< frames before it did not come
    doubled,       ///< it came before
    out_of_order,  ///< it is older than the one before
    late,          ///< it was made too long ago
  };
  Kind kind = Kind::unmarked;
  /// Number of the frame; of torn, in its first pixels; of lost, the first that did not come.
  std::uint64_t number = 0;
  /// Of torn, the number in its last pixels, the same where those between are something else; of
  /// lost the last that did not come; of out_of_order that of the frame before.
  std::uint64_t other = 0;
  std::uint64_t element = 0;        ///< of torn: the first that is not of `number`
  std::uint64_t missed = 0;         ///< of lost: how many of them were published where cnt0 is of
  std::chrono::nanoseconds age{0};  ///< of late
  friend bool operator==(const CounterFault&, const CounterFault&) = default;
};

/// `lost 3 frames: 17 to 19`
[[nodiscard]] SHMIM_EXPORT std::string to_string(const CounterFault& fault);

/// How often there was what; of lost, how many frames.
struct CounterTally {
  std::uint64_t frames = 0;
  std::uint64_t unmarked = 0;
  std::uint64_t torn = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t late = 0;
  [[nodiscard]] bool is_clean() const noexcept {
    return unmarked + torn + lost + doubled + out_of_order + late == 0;
  }
};

struct CounterCheckOptions {
  /// What was made longer ago than this is late; nullopt: nothing is.
  std::optional<std::chrono::nanoseconds> late;
  /// Frames that were published where cnt0 is of, and not taken, are not lost.
  bool may_miss = false;
};

/// What a frame was taken with, as far as it is known.
struct CounterCheckFrame {
  std::optional<std::uint64_t> cnt0;
  Tai taken = never;
};

/// Checks frames of the pattern `counter`: that each is whole, and follows the one before. The
/// shape may be that of a part of what was written, as long as its rows have 16 numbers or more, in
/// order. Where cnt0 goes back, a stream was re-created: the count begins anew, as it does after a
/// frame that is torn. Not thread-safe.
class SHMIM_EXPORT CounterCheck {
 public:
  CounterCheck(DataType type, const Shape& shape, const CounterCheckOptions& options = {});

  /// Number and time in the first pixels; nullopt where they are not of a counter. Throws Error
  /// (usage) unless `frame` has the bytes of one.
  [[nodiscard]] std::optional<CounterMark> mark_of(std::span<const std::byte> frame) const;
  /// What is wrong with the frame that came next; nothing where all is well. Throws Error (usage).
  [[nodiscard]] std::vector<CounterFault> take(std::span<const std::byte> frame,
                                               const CounterCheckFrame& known = {});
  [[nodiscard]] const CounterTally& tally() const noexcept { return tally_; }

 private:
  [[nodiscard]] std::optional<CounterFault> tear_in(std::span<const std::byte> frame,
                                                    const std::optional<CounterMark>& mark) const;
  [[nodiscard]] std::uint64_t ahead(std::uint64_t number, std::uint64_t of) const noexcept;
  void compare(std::uint64_t number, const CounterCheckFrame& known,
               std::vector<CounterFault>& faults);
  void count(const CounterFault& fault);
  DataType type_;
  std::size_t row_ = 0;   ///< numbers that are counted through
  std::size_t rows_ = 0;  ///< so many times
  CounterCheckOptions options_;
  std::optional<std::uint64_t> number_;  ///< of the frame before
  std::optional<std::uint64_t> cnt0_;    ///< likewise
  CounterTally tally_;
};

}  // namespace shmim
