#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("assignments are read as integer, real or string, with a comment") {
  CHECK(parse_keyword("A=1") == Keyword{"A", std::int64_t{1}, ""});
  CHECK(parse_keyword("A=-42/frames") == Keyword{"A", std::int64_t{-42}, "frames"});
  CHECK(parse_keyword("EXPTIME=0.0005/[s]") == Keyword{"EXPTIME", 0.0005, "[s]"});
  CHECK(parse_keyword("A=1e3") == Keyword{"A", 1000.0, ""});
  CHECK(parse_keyword("A=+5") == Keyword{"A", std::int64_t{5}, ""});
  CHECK(parse_keyword("A=9223372036854775808") == Keyword{"A", 9223372036854775808.0, ""});
  CHECK(parse_keyword("FILTER=H-band/a/b") == Keyword{"FILTER", std::string("H-band"), "a/b"});
  CHECK(parse_keyword("A=") == Keyword{"A", std::string(), ""});
  CHECK(parse_keyword("A='1'") == Keyword{"A", std::string("1"), ""});
  CHECK(parse_keyword("A='a/b'/c") == Keyword{"A", std::string("a/b"), "c"});
  CHECK(parse_keyword("ESO DET DIT=2/s") == Keyword{"ESO DET DIT", std::int64_t{2}, "s"});
  CHECK(parse_keyword("A='it''s'") == Keyword{"A", std::string("it's"), ""});
}

TEST_CASE("assignments that cannot be meant are refused, in words") {
  const auto why = [](const char* text) {
    return std::string(error_of([&] { return parse_keyword(text); }).what());
  };
  CHECK(why("A") == "keyword 'A': it is written NAME=VALUE or NAME=VALUE/comment");
  CHECK(why("=1") == "keyword '=1': it has no name");
  CHECK(why("A\tB=1") == "keyword 'A\\x09B=1': its name holds a control character");
  CHECK(why(" A=1") == "keyword ' A=1': its name begins or ends with a blank");
  CHECK(why("A =1") == "keyword 'A =1': its name begins or ends with a blank");
  CHECK(why("A='b") == "keyword 'A='b': the closing ' is missing");
  CHECK(why("A='b'c") == "keyword 'A='b'c': only /comment may follow the closing '");
  CHECK(why("ABCDEFGHIJKLMNOPQ=1") ==
        "keyword 'ABCDEFGHIJKLMNOPQ=1': name of 17 bytes, at most 16 fit");
  CHECK(why("A=12345678901234567x") ==
        "keyword 'A=12345678901234567x': string of 18 bytes, at most 16 fit");
  CHECK(why(("A=1/" + std::string(81, 'c')).c_str())
            .ends_with("comment of 81 bytes, at most 80 fit"));
}

TEST_CASE("keywords are set, replaced, found and erased") {
  const Directory directory;
  Format format = Directory::small_format();
  format.keywords = 3;
  Stream stream = directory.make("im1", format);
  const Keywords keywords = stream.keywords();
  const std::string sixteen(16, 'x');
  keywords.set({"L", std::numeric_limits<std::int64_t>::min(), "least"});
  keywords.set({"D", 0.1, ""});
  keywords.set({sixteen, sixteen, std::string(79, 'c')});
  CHECK(keywords.find("L")->comment == "least");
  CHECK(std::get<std::string>(keywords.find(sixteen)->value) == sixteen);
  CHECK(keywords.find(sixteen)->comment.size() == 79);
  const Error full = error_of([&] { keywords.set({"MORE", std::int64_t{1}, ""}); });
  CHECK(says(full, "keyword 'MORE': all 3 slots are in use"));
  keywords.set({"L", 2.5, ""});
  CHECK(*keywords.find("L") == Keyword{"L", 2.5, "least"});
  CHECK(keywords.erase("D"));
  CHECK_FALSE(keywords.erase("D"));
  CHECK(keywords.all().size() == 2);
  keywords.set({"MORE", std::int64_t{1}, ""});
  CHECK(keywords.all()[2].name == "MORE");
  CHECK(error_of([&] {
          Stream::open(directory.stream("im1"), Access::read).keywords().set({"A", 1.0, ""});
        }).problem() == Problem::not_ours_to_write);
}

TEST_CASE("a write raises the slot's counter by one") {
  std::array<layout::KeywordSlot, 2> slots{};
  const Keywords keywords(slots, true);
  keywords.set({"A", std::int64_t{1}, ""});
  keywords.set({"A", std::int64_t{2}, ""});
  CHECK(slots[0].cnt == 2);
  CHECK(slots[1].cnt == 0);
}

namespace {

std::vector<std::string> names_in(std::span<const layout::KeywordSlot> slots) {
  std::vector<std::string> names;
  for (const layout::KeywordSlot& slot : slots) {
    names.push_back(layout::text_of(slot.name));
  }
  return names;
}

void write_as_pymilk(layout::KeywordSlot& slot, std::string_view name) {
  slot = {};
  if (!name.empty()) {
    std::ranges::copy(name, slot.name.begin());
    slot.type = 'L';
  }
}

}  // namespace

TEST_CASE("what is erased leaves no gap, and gaps that others left are closed") {
  std::array<layout::KeywordSlot, 6> slots{};
  std::ranges::for_each(slots, [](layout::KeywordSlot& slot) { slot.type = 'N'; });
  const Keywords keywords(slots, true);
  for (const char* name : {"A", "B", "C", "D", "E"}) {
    keywords.set({name, std::string(name) + "1", std::string(name) + "2"});
  }
  const std::uint64_t untouched = slots[0].cnt;
  slots[3] = {};  // D, as 0.1.0 erased
  slots[3].type = 'N';
  CHECK(keywords.erase("B"));
  CHECK(names_in(slots) == std::vector<std::string>{"A", "C", "E", "", "", ""});
  CHECK(keywords.find("E") == Keyword{"E", "E1", "E2"});
  CHECK(slots[0].cnt == untouched);
  CHECK(slots[3].type == 'N');
  CHECK_FALSE(keywords.erase("B"));
}

TEST_CASE("a slot of zeros ends the list, and goes on ending it when the list grows") {
  std::array<layout::KeywordSlot, 6> slots{};
  const Keywords keywords(slots, true);
  std::size_t slot = 0;
  for (const char* name : {"X", "", "C", "D", "E", "F"}) {
    write_as_pymilk(slots.at(slot++), name);
  }
  CHECK(keywords.all().size() == 1);
  CHECK_FALSE(keywords.find("C"));
  keywords.set({"NEW", std::int64_t{7}, ""});
  CHECK(names_in(slots) == std::vector<std::string>{"X", "NEW", "", "D", "E", "F"});
  CHECK(slots[2].type == 0);
  CHECK(keywords.all().size() == 2);
  CHECK(keywords.erase("X"));
  CHECK(keywords.all().size() == 1);
  for (const char* name : {"N2", "N3", "N4", "N5", "N6"}) {
    keywords.set({name, std::int64_t{7}, ""});
  }
  CHECK(names_in(slots) == std::vector<std::string>{"NEW", "N2", "N3", "N4", "N5", "N6"});
  CHECK(says(error_of([&] { keywords.set({"N7", 1.0, ""}); }), "all 6 slots are in use"));
}

TEST_CASE("what was prepared for a slot that another keyword has taken goes to another") {
  std::array<layout::KeywordSlot, 3> slots{};
  const Keywords keywords(slots, true);
  keywords.set({"A", std::int64_t{1}, ""});
  keywords.set({"B", std::int64_t{2}, "two"});
  KeywordWriter writer(keywords, {{"B", std::int64_t{3}, ""}});
  writer.prepare();
  keywords.erase("A");
  keywords.set({"C", std::int64_t{4}, ""});
  writer.write();
  CHECK(names_in(slots) == std::vector<std::string>{"B", "C", ""});
  CHECK(keywords.find("B") == Keyword{"B", std::int64_t{3}, "two"});
  CHECK(keywords.find("C") == Keyword{"C", std::int64_t{4}, ""});
}

TEST_CASE("a reader sees each keyword once, while others are erased and set" *
          doctest::test_suite("threads")) {
  std::array<layout::KeywordSlot, 8> slots{};
  const Keywords keywords(slots, true);
  std::atomic<bool> stop{false};
  keywords.set({"FIRST", std::int64_t{1}, ""});
  keywords.set({"STAYS", std::int64_t{1}, ""});
  std::thread writer([&] {
    while (!stop) {
      keywords.erase("FIRST");
      keywords.set({"FIRST", std::int64_t{1}, ""});
      keywords.erase("STAYS2");
      keywords.set({"STAYS2", std::int64_t{1}, ""});
      std::this_thread::yield();
    }
  });
  int wrong = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::vector<Keyword> all = keywords.all();
    wrong += std::ranges::count(all, "STAYS", &Keyword::name) == 1 ? 0 : 1;
  }
  stop = true;
  writer.join();
  CHECK(wrong == 0);
}

TEST_CASE("what fills its place is said") {
  CHECK(unterminated_part({"SIXTEEN_BYTE_KEY", std::int64_t{1}, ""}) == "name of 16 bytes");
  CHECK(unterminated_part({"A", std::string(16, 'x'), ""}) == "string of 16 bytes");
  CHECK(unterminated_part({"A", 1.0, std::string(80, 'x')}) == "comment of 80 bytes");
  CHECK_FALSE(unterminated_part({"FIFTEEN_BYTEKEY", std::string(15, 'x'), std::string(79, 'x')}));
}

TEST_CASE("a slot whose writer was killed in the middle can be read, and written again") {
  std::array<layout::KeywordSlot, 1> slots{};
  const Keywords keywords(slots, true);
  keywords.set({"A", std::int64_t{1}, ""});
  REQUIRE(layout::begin_keyword(slots[0]));
  CHECK(keywords.find("A"));
  keywords.set({"A", std::int64_t{3}, ""});
  CHECK(std::get<std::int64_t>(keywords.find("A")->value) == 3);
  CHECK(slots[0].cnt == 2);
}

TEST_CASE("a reader never sees parts of two values" * doctest::test_suite("threads")) {
  std::array<layout::KeywordSlot, 1> slots{};
  const Keywords keywords(slots, true);
  keywords.set({"A", std::string(16, 'a'), std::string(79, 'a')});
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (char letter = 'a'; !stop; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1)) {
      keywords.set({"A", std::string(16, letter), std::string(79, letter)});
      std::this_thread::yield();
    }
  });
  int torn = 0;
  for (int i = 0; i < 20000; ++i) {
    const Keyword keyword = keywords.find("A").value_or(Keyword{});
    const auto* value = std::get_if<std::string>(&keyword.value);
    const bool is_whole = value != nullptr && !value->empty() &&
                          *value == std::string(16, value->front()) &&
                          keyword.comment == std::string(79, value->front());
    torn += is_whole ? 0 : 1;
  }
  stop = true;
  writer.join();
  CHECK(torn == 0);
}

TEST_CASE("a keyword with a NUL character fits no stream") {
  using namespace std::string_literals;
  for (const Keyword& keyword : {Keyword{"A\0B"s, std::int64_t{1}, ""}, Keyword{"A", "x\0y"s, ""},
                                 Keyword{"A", std::int64_t{1}, "x\0y"s}}) {
    CHECK(keyword_error(keyword) == "it holds a NUL character");
  }
  CHECK(says(error_of([] { static_cast<void>(parse_keyword("N=a\0x"s)); }), "NUL character"));
}

TEST_CASE("a table whose every slot was left busy by the dead takes no longer than one") {
  Format format;
  format.shape = Shape{1};
  format.keywords = 1000;
  const Directory directory;
  Stream stream = directory.make("a", format);
  auto* header = reinterpret_cast<layout::Metadata*>(stream.unguarded_writable_pixels().data()) - 1;
  auto* slots =
      reinterpret_cast<layout::KeywordSlot*>(stream.unguarded_writable_pixels().data() + 8);
  REQUIRE(header->nb_kw == 1000);
  for (std::size_t slot = 0; slot < 1000; ++slot) {
    static_cast<void>(layout::begin_keyword(slots[slot]));
    layout::store(slots[slot].type, slot == 0 ? 'N' : 'L');
  }
  // One after the other they would take 20 s, and as long again for each of the next lines.
  CHECK(stream.keywords().all().size() == 999);
  stream.keywords().set({"A", std::int64_t{1}, ""});
  CHECK(stream.keywords().find("A").has_value());
}
