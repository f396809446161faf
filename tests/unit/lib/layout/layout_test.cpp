#include <limits>

#include "support/unit.hpp"

using namespace shmim;

TEST_CASE("regions follow one another, each rounded up to 8 bytes") {
  layout::Geometry odd;
  odd.naxis = 2;
  odd.size = {3, 1, 0};
  odd.datatype = 1;
  odd.semaphores = 1;
  odd.keywords = 0;
  const auto regions = layout::lay_out(odd);
  REQUIRE(regions);
  CHECK(regions->array == 384);
  CHECK(regions->array_bytes == 3);
  CHECK(regions->keywords == 392);
  CHECK(regions->semaphores == 392);
  CHECK(regions->log_semaphore == 424);
  CHECK(regions->read_pid == 456);
  CHECK(regions->write_pid == 464);
  CHECK(regions->control == 472);
  CHECK(regions->status == 480);
  CHECK(regions->trace == 488);
  CHECK(regions->total == 488 + 640);
}

TEST_CASE("slice arrays are there when z is circular in time") {
  CHECK(layout::has_slice_arrays(0x20001));
  CHECK(layout::has_slice_arrays(0x120001));
  CHECK_FALSE(layout::has_slice_arrays(0x20003));
  CHECK_FALSE(layout::has_slice_arrays(0x2));
  CHECK_FALSE(layout::has_slice_arrays(0x10001));
}

TEST_CASE("numbers that make no stream have no regions") {
  layout::Geometry geometry;
  geometry.naxis = 2;
  geometry.size = {4, 4, 0};
  geometry.datatype = 9;
  REQUIRE(layout::lay_out(geometry));

  SUBCASE("no axis") { geometry.naxis = 0; }
  SUBCASE("four axes") { geometry.naxis = 4; }
  SUBCASE("an axis of length 0") { geometry.size[1] = 0; }
  SUBCASE("no such type") { geometry.datatype = 14; }
  SUBCASE("type 0") { geometry.datatype = 0; }
  SUBCASE("more bytes than can be addressed") {
    geometry.naxis = 3;
    geometry.size.fill(std::numeric_limits<std::uint32_t>::max());
  }
  SUBCASE("a buffer of more bytes than can be addressed") {
    geometry.size = {1U << 30, 1U << 28, 0};
    geometry.circular_buffer = std::numeric_limits<std::uint32_t>::max();
  }
  CHECK_FALSE(layout::lay_out(geometry));
}

TEST_CASE("an array on a GPU takes no room in the file") {
  layout::Geometry geometry;
  geometry.naxis = 1;
  geometry.size = {1000, 0, 0};
  geometry.datatype = 9;
  geometry.location = 0;
  CHECK(layout::lay_out(geometry)->keywords == 384);
}

TEST_CASE("the write flag is one writer's at a time") {
  layout::Metadata header{};
  CHECK(layout::begin_writing(header));
  CHECK(layout::is_writing(header));
  CHECK_FALSE(layout::begin_writing(header));
  CHECK(layout::count_frame(header) == 1);
  layout::end_writing(header);
  CHECK_FALSE(layout::is_writing(header));
  CHECK(layout::cnt0(header) == 1);
}
