#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// A ring of three planes of one byte, and what its writers do to it step by step.
struct Ring {
  layout::Metadata header{};
  std::array<std::byte, 3> array{};
  std::array<layout::Timespec, 3> atime{};
  std::array<layout::Timespec, 3> writetime{};
  std::array<std::uint64_t, 3> count{};

  [[nodiscard]] PlaneRing view(bool has_counts = true) {
    return has_counts ? PlaneRing(header, 3, {array, atime, writetime, count})
                      : PlaneRing(header, 3, {array, {}, {}, {}});
  }
  void begin(std::uint32_t plane) {
    header.write = 1;
    array.at(plane) = static_cast<std::byte>(header.cnt0 + 1);
  }
  void end(std::uint32_t plane) {
    header.cnt1 = plane;
    ++header.cnt0;
    count.at(plane) = header.cnt0;
    header.write = 0;
  }
  void write(std::uint32_t plane) {
    begin(plane);
    end(plane);
  }
};

std::optional<std::byte> read(const PlaneRing& ring, const std::optional<PlaneRing::Found>& found) {
  FrameInfo info;
  return found && ring.end_read(*found, info) && info.cnt0 == found->cnt0
             ? std::optional(found->frame.front())
             : std::nullopt;
}

}  // namespace

TEST_CASE("the planes of a ring are the last frames, in order") {
  Ring ring;
  bool has_counts = true;
  SUBCASE("by cntarray") {}
  SUBCASE("by cnt1") { has_counts = false; }
  const PlaneRing view = ring.view(has_counts);
  CHECK_FALSE(view.newest());
  for (std::uint32_t frame = 1; frame <= 7; ++frame) {
    ring.write((frame - 1) % 3);
    CHECK(read(view, view.newest()) == static_cast<std::byte>(frame));
  }
  for (std::uint64_t seen = 0; seen < 7; ++seen) {
    const auto found = view.first_after(seen);
    REQUIRE(found);
    CHECK(found->cnt0 == std::max<std::uint64_t>(seen + 1, 5));
    CHECK(read(view, found) == static_cast<std::byte>(found->cnt0));
  }
  CHECK(view.first_after(9)->cnt0 == 7);  // the count went back
}

TEST_CASE("a frame in a ring is worth nothing once its plane may have been written again") {
  Ring ring;
  const PlaneRing view = ring.view();
  for (std::uint32_t frame = 1; frame <= 5; ++frame) {
    ring.write((frame - 1) % 3);
  }
  const auto oldest = view.first_after(0);
  const auto middle = view.first_after(3);
  REQUIRE(oldest->cnt0 == 3);
  REQUIRE(middle->cnt0 == 4);
  ring.begin(2);
  CHECK_FALSE(read(view, oldest));
  CHECK(read(view, middle) == std::byte{4});
  CHECK(view.first_after(0)->cnt0 == 4);
  ring.end(2);
  ring.begin(0);
  CHECK_FALSE(read(view, middle));
}

TEST_CASE("planes that are not written in turn") {
  Ring ring;
  SUBCASE("with cntarray: while nobody writes") {
    const PlaneRing view = ring.view();
    for (int frame = 0; frame < 4; ++frame) {
      ring.write(1);
    }
    const auto found = view.first_after(0);
    REQUIRE(found);
    CHECK(found->cnt0 == 4);
    CHECK(read(view, found) == std::byte{4});
    ring.begin(1);
    CHECK_FALSE(read(view, found));
    CHECK_FALSE(read(view, view.newest()));
  }
  SUBCASE("a writer that fills no cntarray after one that does") {
    const PlaneRing view = ring.view();
    ring.write(0);
    ring.write(1);
    ring.header.cnt1 = 2;
    ++ring.header.cnt0;
    ring.array[2] = std::byte{3};
    CHECK(read(view, view.newest()) == std::byte{3});
  }
}
