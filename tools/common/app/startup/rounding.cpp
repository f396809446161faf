// The one thing of libm that libstdc++.a names, in its from_chars: to be found here, or the whole
// library would be loaded for it whenever a tool starts. Nobody changes the way of rounding, so
// there is nothing to do.

#include <cfenv>

int fegetround() noexcept { return FE_TONEAREST; }
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): a name of glibc's own
int fesetround(int mode) noexcept { return mode == FE_TONEAREST ? 0 : 1; }
