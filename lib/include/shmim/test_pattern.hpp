#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/format.hpp"

namespace shmim {

/// Frames that are made and not measured. shmim-post(1) has the patterns, their keys, and what each
/// pixel is. A frame depends on its number, the seed, the type and the shape, and nothing else: it
/// is the same bit by bit on every machine, and whatever frames were made before it. A `counter`
/// depends on the time too, and on no seed.
class SHMIM_EXPORT TestPattern {
 public:
  /// Reads a pattern with its keys, as in `noise,mean=100,sigma=3`. Throws Error (usage): there is
  /// no such pattern or key, a value is no number or makes no sense, or is beyond the type.
  TestPattern(std::string_view text, DataType type, const Shape& shape, std::uint64_t seed = 0);

  /// `ramp`, `noise`, ...
  [[nodiscard]] static std::span<const std::string_view> names() noexcept;

  /// True of `counter`, whose frames a CounterCheck takes.
  [[nodiscard]] bool is_counter() const noexcept { return is_counter_; }
  /// Makes frame `number`; `time` is when, for a `counter`. Throws Error (usage) unless `frame` has
  /// the bytes of one. May be called by several threads at once.
  void fill(std::uint64_t number, Tai time, std::span<std::byte> frame) const;

 private:
  std::function<void(std::uint64_t number, Tai time, std::byte* frame)> make_;
  std::size_t bytes_;
  bool is_counter_ = false;
};

}  // namespace shmim
