#include "network/backlog.hpp"

#include <chrono>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::network;

namespace {

std::shared_ptr<const Packet> packet_of(std::uint64_t number, std::size_t bytes = 10) {
  auto made = std::make_shared<Packet>();
  made->number = number;
  made->pixels = zmq::message_t(bytes);
  return made;
}

Backlog backlog_of(std::uint64_t first, std::uint64_t last) {
  Backlog backlog;
  for (std::uint64_t number = first; number <= last; ++number) {
    backlog.push(packet_of(number));
  }
  return backlog;
}

}  // namespace

TEST_CASE("a receiver's place in the backlog is behind what it has had") {
  const Backlog backlog = backlog_of(5, 9);
  CHECK(backlog.after(0)->number == 5);
  CHECK(backlog.after(4)->number == 5);
  CHECK(backlog.after(7)->number == 8);
  CHECK(backlog.after(9) == nullptr);
  CHECK(backlog.after(100) == nullptr);
  CHECK_FALSE(backlog.ends_with(8));
  CHECK(backlog.ends_with(9));
  CHECK(Backlog().ends_with(0));
  CHECK(Backlog().after(0) == nullptr);
}

TEST_CASE("the backlog counts the bytes of all forms of its pixels") {
  Backlog backlog = backlog_of(1, 3);
  CHECK(backlog.bytes() == 30);
  const auto packed = packet_of(4);
  backlog.push(packed);
  backlog.note_form(*packed, 4);
  packed->packed_by(Compression::zstd) = zmq::message_t(4);
  CHECK(backlog.bytes() == 44);
  backlog.note_form(*packet_of(5), 7);  // was never in it
  backlog.drop_up_to(2);
  CHECK(backlog.size() == 2);
  CHECK(backlog.bytes() == 24);
  CHECK(backlog.drop_oldest()->number == 3);
  backlog.note_form(*packet_of(3), 7);  // is in it no more
  CHECK(backlog.bytes() == 14);
  backlog.drop_up_to(100);
  CHECK(backlog.empty());
  CHECK(backlog.bytes() == 0);
}

TEST_CASE("who is far behind is found as soon as who is not") {
  constexpr std::uint64_t frames = 200'000;
  const Backlog backlog = backlog_of(1, frames);
  // In order, as a stalled receiver is sent all when it goes on: walked from the front these were
  // 20 milliards of steps.
  std::uint64_t number = 0;
  while (const auto next = backlog.after(number)) {
    REQUIRE(next->number == number + 1);
    number = next->number;
  }
  CHECK(number == frames);
}
