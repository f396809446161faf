#include <map>
#include <sstream>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) {
    fields.push_back(field);
  }
  fields.resize(8);
  return fields;
}

/// What the message must hold, for the notes that are not words of it.
const std::map<std::string, std::vector<std::string>>& in_other_words() {
  static const std::map<std::string, std::vector<std::string>> words{
      {"no colon after the modifiers", {"no colon after the modifiers"}},
      {"L and S exclude one another", {"L and S exclude one another"}},
      {"X, column 2", {"X", "column 2"}},
      {"l (modifiers are capital letters)", {" l ", "modifiers are capital letters"}},
      {"F; conf FITS files are found without a modifier",
       {" F ", "conf FITS files are found without a modifier"}},
      {"s> was removed, shared memory is the default, @S:",
       {"s> was removed", "shared memory is the default", "@S:"}},
      {"k10>, the option --keywords", {"k10>", "the option --keywords"}},
      {"c20>, the option --circular-buffer", {"c20>", "the option --circular-buffer"}},
      {"tf33, the types there are", {"tf33>", "the types are tui8> "}},
      {"a, column 5", {"'a'", "column 5"}},
  };
  return words;
}

std::string letter(Location location) {
  return location == Location::any ? "-" : location == Location::shared ? "S" : "L";
}

std::string letter(Existence existence) {
  return existence == Existence::any ? "-" : existence == Existence::must_exist ? "E" : "N";
}

}  // namespace

TEST_CASE("every line of the table of references") {
  std::ifstream table(std::filesystem::path(SHMIM_SOURCE_DIR) /
                      "tests/unit/lib/reference/streamref.tsv");
  int lines = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with('#')) {
      continue;
    }
    ++lines;
    const auto field = fields_of(line);
    CAPTURE(field[0]);
    if (field[1] == "ok") {
      const Reference reference = parse_reference(field[0]);
      CHECK(letter(reference.location) == field[2]);
      CHECK(letter(reference.existence) == field[3]);
      CHECK((reference.type ? to_string(*reference.type) : "-") == field[4]);
      CHECK(reference.name == field[5]);
      CHECK(reference.slice == (field[6] == "-" ? Slice{} : parse_slice(field[6])));
      // What it prints as reads as the same again.
      CHECK(
          (reference.slice.empty() || parse_slice(to_string(reference.slice)) == reference.slice));
    } else {
      REQUIRE(field[1] == "error");
      const Error error = error_of([&] { return parse_reference(field[0]); });
      CHECK(error.problem() == Problem::usage);
      const auto words = in_other_words().find(field[7]);
      const std::vector<std::string> wanted =
          words == in_other_words().end() ? std::vector{field[7]} : words->second;
      for (const std::string& word : wanted) {
        CHECK_MESSAGE(says(error, word), std::string(error.what()), " must name ", word);
      }
    }
  }
  CHECK(lines == 63);
}

TEST_CASE("names have 1 to 79 bytes and no control characters") {
  CHECK(parse_reference(std::string(79, 'x')).name.size() == 79);
  CHECK(says(error_of([] { return parse_reference(std::string(80, 'x')); }),
             "a name of 80 bytes: at most 79"));
  CHECK(says(error_of([] { return parse_reference("im\t1"); }), "a control character in the name"));
  CHECK(says(error_of([] { return parse_reference("im\0331"); }), "im\\x1b1"));
  CHECK(parse_reference("\xC3\xA9toile").name == "\xC3\xA9toile");
}

TEST_CASE("each type has its legacy prefix") {
  for (const DataType type : data_types()) {
    const std::string text = std::string(legacy_prefix(type)) + ">im1";
    CHECK(parse_reference(text).type == type);
  }
}
