#include "simulate/real.hpp"

#include <cstddef>

namespace shmim::simulate {
namespace {

std::uint64_t splitmix(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15;
  std::uint64_t bits = state;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
  return bits ^ bits >> 31;
}

double normal_density(double x) noexcept {
  constexpr double at_0 = 0.39894228040143267794;
  return at_0 * exponential(-0.5 * x * x);
}

}  // namespace

double exponential(double exponent) noexcept {
  constexpr double nothing = -700;
  if (exponent < nothing) {
    return 0;
  }
  // e^x = (e^(x/1024))^1024, and the series of so small a number is short.
  constexpr int squarings = 10;
  constexpr int terms = 10;
  const double x = exponent / (1 << squarings);
  double sum = 1;
  for (int term = terms; term > 0; --term) {
    sum = 1 + sum * x / term;
  }
  for (int i = 0; i < squarings; ++i) {
    sum *= sum;
  }
  return sum;
}

double sine_of_turns(double turns) noexcept {
  constexpr double all_whole =
      9007199254740992;  // numbers from here on have nothing behind the point
  const double part =
      turns < all_whole ? turns - static_cast<double>(static_cast<std::int64_t>(turns)) : 0;
  const bool is_below = part >= 0.5;
  const double half = is_below ? part - 0.5 : part;
  constexpr double two_pi = 6.28318530717958647693;
  const double x = two_pi * (half > 0.25 ? 0.5 - half : half);
  constexpr int terms = 10;
  double sum = 1;
  for (int term = terms; term > 0; --term) {
    sum = 1 - sum * x * x / (2 * term * (2 * term + 1));
  }
  return is_below ? -x * sum : x * sum;
}

void fill_with_normal_quantiles(std::span<double> entries) noexcept {
  constexpr double step = 1.0 / 1024;
  const std::size_t half = entries.size() / 2;
  double x = 0;
  double density = normal_density(x);
  double below = 0.5;
  double above = below;  // the probability at x + step
  double next_density = density;
  const auto integrate = [&] {
    next_density = normal_density(x + step);
    above = below + step / 6 * (density + 4 * normal_density(x + step / 2) + next_density);
  };
  integrate();
  for (std::size_t i = 0; i < half; ++i) {
    const double wanted =
        0.5 + (static_cast<double>(i) + 0.5) / static_cast<double>(entries.size());
    while (above < wanted) {
      x += step;
      below = above;
      density = next_density;
      integrate();
    }
    const double quantile = x + step * (wanted - below) / (above - below);
    entries[half + i] = quantile;
    entries[half - 1 - i] = -quantile;
  }
}

Random::Random(std::uint64_t seed, std::uint64_t frame) noexcept {
  std::uint64_t mixed = seed;
  mixed = splitmix(mixed) ^ frame;
  for (std::uint64_t& bits : state_) {
    bits = splitmix(mixed);
  }
}

}  // namespace shmim::simulate
