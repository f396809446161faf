// Which frames of two sequences go together, and which only one of them has.

#include "diff/sequence.hpp"

#include <deque>

#include <nlohmann/json.hpp>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::tools;

namespace {

/// Frames of one pixel, whose value is their place: with these numbers, or without where it is 0.
class Numbered final : public Side {
 public:
  explicit Numbered(std::deque<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  bool next(SideFrame& frame) override {
    if (numbers_.empty()) {
      return false;
    }
    frame.type = DataType::uint8;
    frame.shape = Shape{1};
    frame.pixels = {std::byte{place_++}};
    frame.cnt0 = numbers_.front() > 0 ? std::optional(numbers_.front()) : std::nullopt;
    numbers_.pop_front();
    return true;
  }

 private:
  std::deque<std::uint64_t> numbers_;
  std::uint8_t place_ = 0;
};

/// As text, and which pixels were compared with which.
std::string found_in(std::deque<std::uint64_t> of_a, std::deque<std::uint64_t> of_b) {
  Numbered a(std::move(of_a));
  Numbered b(std::move(of_b));
  std::string pairs;
  const auto found = compare_sequences(a, b, [&](const SideFrame& x, const SideFrame& y) {
    pairs += std::to_string(std::to_integer<int>(x.pixels[0])) +
             std::to_string(std::to_integer<int>(y.pixels[0])) + " ";
    Rules rules;
    rules.tolerance.absolute = 255;
    return differences_of(x, y, rules);
  });
  return pairs + to_text(found, "a", "b");
}

std::string total(int compared) {
  return "frames: 0 of " + std::to_string(compared) + " differ, matched by cnt0\n";
}

}  // namespace

TEST_CASE("frames of the same cnt0 are compared") {
  CHECK(found_in({7, 8, 9}, {7, 8, 9}) == "00 11 22 ");
  CHECK(found_in({7, 8, 9}, {8, 9, 10}) ==
        "10 21 only in a: 1 frame: 7\nonly in b: 1 frame: 10\n" + total(2));
  CHECK(found_in({1, 2, 5, 6, 9}, {1, 9}) == "00 41 only in a: 3 frames: 2, 5-6\n" + total(2));
  CHECK(found_in({}, {3}) == "only in b: 1 frame: 3\n" + total(0));
}

TEST_CASE("frames without a number are compared by their place") {
  CHECK(found_in({0, 0}, {0, 0}) == "00 11 ");
  CHECK(found_in({0, 0, 0}, {17, 18}) ==
        "00 11 only in a: 1 frame: 2\nframes: 0 of 2 differ, matched by place\n");
}

TEST_CASE("a count that goes back is another one") {
  CHECK(found_in({5, 6, 1, 2}, {5, 6, 1, 2}) == "00 11 22 33 ");
  CHECK(found_in({5, 6, 1, 2}, {5, 1, 2, 3}) ==
        "00 21 32 only in a: 1 frame: 6\nonly in b: 1 frame: 3\n" + total(3));
  // One that comes twice has no partner the second time, and costs none of the others theirs.
  CHECK(found_in({1, 2, 2, 3}, {1, 2, 3}) == "00 11 32 only in a: 1 frame: 2\n" + total(3));
}

TEST_CASE("ten gaps are told of, and that there are more") {
  std::deque<std::uint64_t> odd;
  for (std::uint64_t number = 1; number < 40; number += 2) {
    odd.push_back(number);
  }
  CHECK(found_in(odd, {1}) ==
        "00 only in a: 19 frames: 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, ...\n" + total(1));
}

TEST_CASE("words that name files are told from names of streams") {
  for (const char* file : {"-", "a.fits", "a.fits[1]", "A.FITS", "a.fits.gz", "a.fts", "a.npy[0:3]",
                           "run.frames", "./dark", "conf/dark", "/tmp/x[1]"}) {
    CAPTURE(file);
    CHECK(names_file(file));
  }
  for (const char* reference : {"cam", "@L:cam[0:10,0:10]", "tf32>wfs", "cam.roi", "a.fitsy",
                                "cam.im.shm", "/dev/shm/cam.im.shm", "@S:/dev/shm/c.im.shm[0:1]"}) {
    CAPTURE(reference);
    CHECK_FALSE(names_file(reference));
  }
}
