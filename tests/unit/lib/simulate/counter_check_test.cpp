#include <algorithm>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

using Kind = CounterFault::Kind;

constexpr Tai noon = Tai(std::chrono::microseconds{1'795'312'406'123'456});

/// Frames of a counter of one type and shape, and the check of them.
struct Counted {
  DataType type = DataType::uint8;
  Shape shape;
  CounterCheckOptions options = {};
  TestPattern pattern{"counter", type, shape};
  CounterCheck check{type, shape, options};
  [[nodiscard]] std::vector<std::byte> frame(std::uint64_t number, Tai time = noon) const {
    std::vector<std::byte> bytes(shape.elements() * element_size(type));
    pattern.fill(number, time, bytes);
    return bytes;
  }
  std::vector<CounterFault> take(std::uint64_t number, const CounterCheckFrame& known = {}) {
    return check.take(frame(number), known);
  }
};

std::vector<Kind> kinds_of(const std::vector<CounterFault>& faults) {
  std::vector<Kind> kinds;
  std::transform(faults.begin(), faults.end(), std::back_inserter(kinds),
                 [](const CounterFault& fault) { return fault.kind; });
  return kinds;
}

/// Of one fault.
std::string said(const std::vector<CounterFault>& faults) {
  return faults.size() == 1 ? to_string(faults[0]) : std::to_string(faults.size()) + " faults";
}

}  // namespace

TEST_CASE("number and time of a frame are read back, whatever its type and shape") {
  constexpr std::uint64_t large = (std::uint64_t{1} << 42) - 1;
  for (const DataType type : data_types()) {
    for (const Shape& shape : {Shape{16}, Shape{97}, Shape{5, 4}, Shape{3, 3, 3}, Shape{70, 5}}) {
      CAPTURE(to_string(type));
      CAPTURE(to_string(shape));
      const Counted counted{type, shape};
      for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64},
                                         std::uint64_t{123456789012}, large}) {
        CHECK(counted.check.mark_of(counted.frame(number)) == CounterMark{number, noon});
      }
      CHECK(counted.check.mark_of(counted.frame(large + 6)) == CounterMark{5, noon});
    }
  }
}

TEST_CASE("the pixels of a counter") {
  const Counted counted{DataType::uint8, {18, 2}};
  const auto frame =
      counted.frame(1 + 2 * 64 + 3 * 4096, Tai(std::chrono::microseconds{5 + 6 * 64}));
  const std::vector<int> row{65, 2, 3, 0, 0, 0, 0, 69, 6, 0, 0, 0, 0, 0, 0, 0, 65, 2};
  for (std::size_t i = 0; i < frame.size(); ++i) {
    CHECK(std::to_integer<int>(frame[i]) == row[i % 18]);
  }
}

TEST_CASE("small frames hold the low digits of the number, and no time") {
  const Counted one{DataType::uint8, {1}};
  CHECK(one.check.mark_of(one.frame(64 * 5 + 3)) == CounterMark{3, never});
  const Counted complex{DataType::complex64, {2}};
  CHECK(complex.check.mark_of(complex.frame(0x123456)) == CounterMark{0x123456, never});
  const Counted ten{DataType::int8, {10}};
  CHECK(ten.check.mark_of(ten.frame(1234567890123)) == CounterMark{1234567890123, never});

  // Numbers go on where the digits begin again.
  Counted counted{DataType::uint8, {1}};
  for (std::uint64_t number = 60; number < 200; ++number) {
    CHECK(counted.take(number).empty());
  }
  CHECK(said(counted.take(204)) == "lost 4 frames: 200 to 203");
  CHECK(said(counted.take(203)) == "frame 11 came after frame 204");
}

TEST_CASE("what is lost, doubled and out of order") {
  Counted counted{DataType::uint16, {20, 3}};
  CHECK(counted.take(7).empty());
  CHECK(counted.take(8).empty());
  CHECK(said(counted.take(10)) == "lost 1 frame: 9");
  CHECK(said(counted.take(10)) == "frame 10 came twice");
  CHECK(said(counted.take(4)) == "frame 4 came after frame 10");
  CHECK(counted.take(5).empty());
  CHECK(said(counted.take(100)) == "lost 94 frames: 6 to 99");
  const CounterTally& tally = counted.check.tally();
  CHECK(tally.frames == 7);
  CHECK(tally.lost == 95);
  CHECK(tally.doubled == 1);
  CHECK(tally.out_of_order == 1);
  CHECK(tally.torn + tally.late + tally.unmarked == 0);
  CHECK(!tally.is_clean());
}

TEST_CASE("what was published and not taken is told by cnt0") {
  Counted counted{DataType::uint16, {20, 3}};
  CHECK(counted.take(7, {100}).empty());
  CHECK(said(counted.take(10, {102})) == "lost 2 frames: 8 to 9 (1 published and not taken)");
  CHECK(said(counted.take(12, {200})) == "lost 1 frame: 11 (1 published and not taken)");
  CHECK(counted.take(1, {3}).empty());  // a stream that was re-created
  Counted latest{DataType::uint16, {20, 3}, {std::nullopt, true}};
  CHECK(latest.take(7, {100}).empty());
  CHECK(latest.take(10, {103}).empty());
  CHECK(latest.check.tally().is_clean());
  CHECK(said(latest.take(13, {105})) == "lost 2 frames: 11 to 12 (1 published and not taken)");
  CHECK(latest.check.tally().lost == 1);
}

TEST_CASE("what is late") {
  Counted counted{DataType::uint16, {20}, {std::chrono::milliseconds{5}, false}};
  using std::chrono::nanoseconds;
  const auto after = [](nanoseconds time) { return Tai(noon.time_since_epoch() + time); };
  CHECK(counted.take(1, {std::nullopt, after(std::chrono::milliseconds{5})}).empty());
  CHECK(said(counted.take(2, {std::nullopt, after(std::chrono::milliseconds{6})})) ==
        "frame 2 is late: it was made 0.006000 s before");
  CHECK(counted.take(3, {std::nullopt, never}).empty());
  CHECK(counted.take(4).empty());
  CHECK(kinds_of(counted.take(6, {std::nullopt, after(std::chrono::hours{1})})) ==
        std::vector{Kind::lost, Kind::late});
  CHECK(counted.check.tally().late == 2);
  // A time that no date fits.
  Counted last{DataType::uint8, {16}, {std::chrono::milliseconds{5}, false}};
  std::vector<std::byte> frame(16, std::byte{63});
  frame[0] = frame[7] = std::byte{127};
  CHECK(last.check.mark_of(frame) == CounterMark{(std::uint64_t{1} << 42) - 1, out_of_range});
  CHECK(last.check.take(frame, {1, noon}).empty());
}

TEST_CASE("a frame is torn wherever another begins in it") {
  for (const Shape& shape : {Shape{37, 3}, Shape{5, 5}, Shape{100}, Shape{4, 3, 6}}) {
    Counted counted{DataType::float16, shape};
    const auto first = counted.frame(4095);
    const auto second = counted.frame(4096);
    for (std::size_t at = 1; at < first.size(); ++at) {
      CAPTURE(to_string(shape));
      CAPTURE(at);
      auto torn = first;
      std::copy(second.begin() + static_cast<std::ptrdiff_t>(at), second.end(),
                torn.begin() + static_cast<std::ptrdiff_t>(at));
      const auto faults = counted.check.take(torn);
      if (torn == first || torn == second) {
        CHECK(kinds_of(faults) == std::vector<Kind>{});
      } else {
        CHECK(kinds_of(faults) == std::vector{Kind::torn});
      }
      counted.check = CounterCheck(counted.type, shape);
    }
  }
  Counted counted{DataType::uint8, {32, 2}};
  auto frame = counted.frame(5);
  const auto next = counted.frame(6);
  std::copy(next.begin() + 20, next.end(), frame.begin() + 20);
  CHECK(said(counted.check.take(frame)) == "torn: frame 5, and from element 32 on frame 6");
  frame = counted.frame(5);
  frame[33] = std::byte{9};
  CHECK(said(counted.check.take(frame)) == "torn: element 33 is not of frame 5");
  CHECK(counted.take(90).empty());  // nobody knows what came before
}

TEST_CASE("a part of a frame begins with any digit; what is no counter is told") {
  const Counted counted{DataType::int32, {64, 4}};
  const auto frame = counted.frame(123456);
  for (std::uint32_t begin = 0; begin <= 40; ++begin) {
    const Selection part({AxisSlice{.first = begin, .last = begin + 20}}, counted.shape,
                         counted.type);
    std::vector<std::byte> pixels(part.bytes());
    part.take(frame, pixels);
    CounterCheck check(counted.type, part.shape());
    CHECK(check.mark_of(pixels) == CounterMark{123456, noon});
    CHECK(check.take(pixels).empty());
  }
  struct Other {
    DataType type;
    const char* pattern;
  };
  for (const Other& other :
       {Other{DataType::uint8, "ramp"}, Other{DataType::float32, "noise"},
        Other{DataType::float64, "noise,mean=-1e300"}, Other{DataType::float32, "ramp,step=0.5"},
        Other{DataType::uint16, "checker"}}) {
    CAPTURE(other.pattern);
    const Shape shape{40, 3};
    const TestPattern pattern(other.pattern, other.type, shape);
    std::vector<std::byte> pixels(shape.elements() * element_size(other.type));
    pattern.fill(3, never, pixels);
    CounterCheck check(other.type, shape);
    CHECK(kinds_of(check.take(pixels)) == std::vector{Kind::unmarked});
    CHECK(check.tally().unmarked == 1);
  }
  CounterCheck check(DataType::float32, {16});
  const std::vector<std::byte> all_ones(64, std::byte{0xFF});  // NaN
  CHECK(said(check.take(all_ones)) == "not of a counter");
  CHECK(error_of([&] { static_cast<void>(check.take(std::vector<std::byte>(63))); }).problem() ==
        Problem::usage);
}
