#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("types have names and sizes") {
  CHECK(data_types().size() == 13);
  for (const DataType type : data_types()) {
    CHECK(parse_data_type(to_string(type)) == type);
    CHECK(element_size(type) > 0);
  }
  CHECK_FALSE(parse_data_type("flaot"));
  CHECK(to_string(static_cast<DataType>(77)) == "unknown");
}

TEST_CASE("sizes are read and printed") {
  CHECK(parse_shape("128") == Shape{128});
  CHECK(parse_shape("320x256x100") == Shape{320, 256, 100});
  CHECK(to_string(Shape{320, 256}) == "320x256");
  const auto why = [](const char* text) {
    return std::string(error_of([&] { return parse_shape(text); }).what());
  };
  CHECK(why("") == "size '' is not like 128, 320x256 or 320x256x100");
  CHECK(why("3x") == "size '3x' is not like 128, 320x256 or 320x256x100");
  CHECK(why("-3") == "size '-3' is not like 128, 320x256 or 320x256x100");
  CHECK(why("4294967296") == "size '4294967296': an axis has at most 4294967295 elements");
  CHECK(why("3x0") == "a size with an axis of length 0: each is at least 1");
  CHECK(why("1x1x1x1") == "a size of 4 axes: a stream has one to three");
}

TEST_CASE("an array is one frame, or several along its last axis") {
  const Shape cube{3, 5, 7};
  CHECK(std::ranges::equal(cube.lengths(), std::array{3U, 5U, 7U}));
  CHECK(frames_of_shape(cube, cube) == 1);
  CHECK(frames_of_shape(cube, Shape{3, 5}) == 7);
  CHECK_FALSE(frames_of_shape(cube, Shape{3, 4}));
  CHECK_FALSE(frames_of_shape(cube, Shape{3}));
  CHECK_FALSE(frames_of_shape(Shape{3, 5}, cube));
}

TEST_CASE("every field that differs is named") {
  Format format;
  format.type = DataType::float32;
  format.shape = Shape{4, 4};
  Requirement requirement;
  CHECK(requirement.empty());
  CHECK(differences(format, requirement).empty());
  CHECK(differences(format, requirement_of(format)).empty());
  requirement.type = DataType::uint16;
  requirement.shape = Shape{8, 8};
  requirement.keywords = 20;
  requirement.circular_buffer = 16;
  requirement.semaphores = 3;
  requirement.image_type = 0x20001;
  CHECK(to_string(differences(format, requirement)) ==
        "type is float32, not uint16; size is 4x4, not 8x8; keywords is 10, not 20; circular "
        "buffer is "
        "0, not 16; semaphores is 10, not 3; image type is 2, not 131073");
}
