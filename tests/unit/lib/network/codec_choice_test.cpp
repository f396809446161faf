#include "network/codec_choice.hpp"

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::network;

namespace {

Compression chosen(double rate, Compression now = Compression::none) {
  // lz4 is fast, zstd makes less of it.
  constexpr Yields measured{{{2, 1e9}, {4, 1e8}}};
  return choose_codec(measured, now, 1e6, rate);
}

}  // namespace

TEST_CASE("the thinner the line the more is done to send less") {
  CHECK(chosen(1e10) == Compression::none);
  CHECK(chosen(1e8) == Compression::lz4);
  CHECK(chosen(1e6) == Compression::zstd);
}

TEST_CASE("what is hardly better is not changed to, and what is in vain is left off") {
  CHECK(chosen(4e8) == Compression::none);  // 2.5 ms as it is, 2.25 by lz4
  CHECK(chosen(4e8, Compression::lz4) == Compression::lz4);
  CHECK(chosen(4.8e8, Compression::lz4) == Compression::none);  // 2.08 and 2.04
  CHECK(chosen(1e9, Compression::lz4) == Compression::none);    // 1 and 1.5
}
