#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace shmim::simulate {

/// e to the power of a number that is not above 0.
double exponential(double exponent) noexcept;
/// Sine of so many turns, 0 or more.
double sine_of_turns(double turns) noexcept;
/// Fills with the quantiles of the normal distribution of mean 0 and standard deviation 1: an entry
/// that is taken at random is a number of that distribution. An even number of entries.
void fill_with_normal_quantiles(std::span<double> entries) noexcept;

/// xoshiro256++ of Blackman and Vigna, seeded by their splitmix64.
class Random {
 public:
  /// A sequence for each pair of numbers.
  Random(std::uint64_t seed, std::uint64_t frame) noexcept;
  std::uint64_t next() noexcept {
    const std::uint64_t result = turned(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = turned(state_[3], 45);
    return result;
  }

 private:
  static constexpr std::uint64_t turned(std::uint64_t bits, int by) noexcept {
    return bits << by | bits >> (64 - by);
  }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace shmim::simulate
