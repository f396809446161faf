// What libstdc++.a, in its from_chars, and nlohmann-json, of numbers of 16 bits in CBOR, name of
// libm: to be found here, or the whole library would be loaded for it whenever a tool starts.
// Nobody changes the way of rounding, so there is nothing to do.

#include <cfenv>
#include <cmath>

int fegetround() noexcept { return FE_TONEAREST; }
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): a name of glibc's own
int fesetround(int mode) noexcept { return mode == FE_TONEAREST ? 0 : 1; }

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): a name of glibc's own
double ldexp(double value, int exponent) noexcept {
  for (; exponent > 0; --exponent) {
    value *= 2;
  }
  for (; exponent < 0; ++exponent) {
    value /= 2;
  }
  return value;
}
