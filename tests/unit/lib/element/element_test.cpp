#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("every data type has a name, a prefix, and a C++ type of its size") {
  CHECK(data_types().size() == 13);
  for (const DataType type : data_types()) {
    CHECK(parse_data_type(to_string(type)) == type);
    CHECK(parse_legacy_prefix(legacy_prefix(type)) == type);
    const std::size_t size = visit(type, []<class T>(std::type_identity<T>) { return sizeof(T); });
    CHECK(size == element_size(type));
  }
}

TEST_CASE("what is not a data type has no name and cannot be visited") {
  const auto unknown = static_cast<DataType>(99);
  CHECK(to_string(unknown) == "unknown");
  CHECK_FALSE(parse_data_type("unknown"));
  CHECK(parse_data_type("u16") == DataType::uint16);
  CHECK(parse_data_type("f32") == DataType::float32);
  CHECK(parse_data_type("float") == DataType::float32);
  CHECK(parse_data_type("double") == DataType::float64);
  CHECK(parse_data_type("<u2") == DataType::uint16);
  CHECK(parse_data_type("u8") == DataType::uint8);
  CHECK(parse_data_type("<u8") == DataType::uint64);
  CHECK(parse_data_type("<c16") == DataType::complex128);
  CHECK_FALSE(parse_data_type(">u2"));
  CHECK_FALSE(parse_legacy_prefix("unknown"));
  const Error error = error_of([&] { visit(unknown, [](auto) {}); });
  CHECK(error.problem() == Problem::bad_header);
  CHECK(says(error, "99 is not the code of a data type"));
}

TEST_CASE("a number is one from its beginning to its end") {
  CHECK(parse_number<int>("-7") == -7);
  CHECK(parse_number<unsigned>("1f", 16) == 31);
  CHECK(parse_number<double>("1e3") == 1000.0);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "x"}) {
    CHECK_FALSE(parse_number<int>(text));
  }
  CHECK_FALSE(parse_number<std::uint8_t>("256"));
}
