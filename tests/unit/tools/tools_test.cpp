// The tools' command lines, without a process.

#include <array>
#include <csignal>
#include <map>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/app/file_reference.hpp"
#include "common/app/tool.hpp"
#include "common/print/csv.hpp"
#include "common/print/frame_text.hpp"
#include "common/print/json.hpp"
#include "common/print/npy.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::tools;
using namespace shmim::test;

namespace {

const Registration& registration(std::string_view name) {
  for (const Registration* entry = registrations(); entry != nullptr; entry = entry->next) {
    if (name == entry->name) {
      return *entry;
    }
  }
  FAIL("no such tool: ", std::string(name));
  return *registrations();
}

/// What the parser says of a command line; empty where it takes it.
std::string parse(std::string_view name, const std::vector<const char*>& arguments) {
  const auto tool = registration(name).make();
  const auto options = options_of(registration(name), *tool);
  try {
    static_cast<void>(options->parse(arguments));
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

std::string refused(const std::function<void()>& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  FAIL("it was not refused");
  return "";
}

}  // namespace

TEST_CASE("each tool has a summary") {
  std::map<std::string, std::string> tools;
  for (const Registration* entry = registrations(); entry != nullptr; entry = entry->next) {
    tools[entry->name] = entry->summary;
  }
  std::string names;
  for (const auto& [name, summary] : tools) {
    CHECK_FALSE(summary.empty());
    names += name + " ";
  }
  CHECK(names == SHMIM_SORTED_TOOLS);
}

TEST_CASE("every option is described") {
  for (const Registration* entry = registrations(); entry != nullptr; entry = entry->next) {
    CAPTURE(entry->name);
    const auto tool = entry->make();
    const auto options = options_of(*entry, *tool);
    for (const Option& option : options->all()) {
      CAPTURE(option.label());
      CHECK_FALSE(option.help.empty());
      CHECK(option.help.back() != '.');
    }
    for (const char* common : {"--help", "--version", "--dir", "--quiet", "--verbose"}) {
      CHECK(options->find(common) != nullptr);
    }
  }
}

namespace {

/// What an option is known by: all its names, the kind of its value, and the beginning of its help.
std::string meaning_of(const Option& option) {
  std::string_view help = option.help;
  if (const std::size_t comma = help.find(", "); help.starts_with("with --")) {
    help.remove_prefix(comma + 2);
  }
  const std::size_t first = help.find(' ');
  const std::string_view two_words = help.substr(0, help.find_first_of(" ,:;", first + 1));
  return fmt::format("{} {}: {}", fmt::join(option.names, ","), option.kind, two_words);
}

/// Every option name with what it means, and the tools in which it means that.
std::map<std::string, std::map<std::string, std::string>> meanings_by_name() {
  std::map<std::string, std::map<std::string, std::string>> meanings;
  for (const Registration* entry = registrations(); entry != nullptr; entry = entry->next) {
    const auto tool = entry->make();
    const auto options = options_of(*entry, *tool);
    for (const Option& option : options->all()) {
      for (const std::string& name : option.names) {
        meanings[name][meaning_of(option)] += fmt::format(" {}", entry->name);
      }
    }
  }
  return meanings;
}

/// Short names that mean in each tool what they mean in the tools that everybody knows.
struct Habit {
  const char* name;
  const char* of;
};
constexpr std::array habits{
    Habit{"-n", "head -n N, make -n"},
    Habit{"-i", "rm -i, top's interval"},
    Habit{"-o", "ls and ps choose columns"},
    Habit{"-f", "tail -f, rm -f"},
    Habit{"-s", "the semaphores of a stream, or one"},
    Habit{"--as", "English: as what a value, or a frame, is given"},
    Habit{"--stats", "statistics: of the elements of a frame, and of a run"},
    Habit{"--frames", "frames: so many of them, and one after the other"},
    Habit{"--compress", "rsync --compress, English: fewer bytes, of a file, and on their way"},
    Habit{"--force", "rm --force, mv --force: what would stop it otherwise"},
    Habit{"--all", "ls --all: the hidden too; every one there is"},
};

}  // namespace

TEST_CASE("an option name has one meaning in all tools, but for the habits of other tools") {
  std::map<std::string, std::map<std::string, std::string>> meanings = meanings_by_name();
  for (const Habit& habit : habits) {
    CAPTURE(habit.name);
    CHECK_MESSAGE(meanings[habit.name].size() > 1, "a habit that is none: ", habit.of);
    meanings.erase(habit.name);
  }
  for (const auto& [name, found] : meanings) {
    std::string told;
    for (const auto& [meaning, tools] : found) {
      told += fmt::format("\n  {} ({} )", meaning, tools);
    }
    const std::string& option = name;  // what a lambda of doctest can capture: a binding cannot
    CHECK_MESSAGE(found.size() == 1, option, " means", told);
  }
}

TEST_CASE("an option's old name is answered with the new one") {
  CHECK(parse("create", {"cam", "4", "-t", "uint16"}) == "the short form of --type is now -T");
  CHECK(parse("create", {"cam", "4", "-tuint16"}) == "the short form of --type is now -T");
  CHECK(parse("connect", {"cam", "--appear", "-t", "uint16"}).ends_with("--type is now -T"));
  CHECK(parse("connect", {"cam", "--wait=3s"}).find("--appear") != std::string::npos);
  CHECK(parse("connect", {"cam", "--check"}).starts_with("--check is gone"));
  CHECK(parse("cat", {"cam", "-f", "--every"}).starts_with("--every is gone"));
  CHECK(parse("post", {"cam", "--data", "-", "--slice", "2"}) == "--slice is now --plane");
  CHECK(parse("ls", {"--rate"}) == "--rate is now --over DURATION");
  CHECK(parse("trace", {"--graph", "--rate", "1s"}) == "--rate is now --over");
  CHECK(parse("info", {"cam", "--rate", "9"}) == "--rate N is now --frames N");
  CHECK(parse("bench", {"--size", "4KiB"}) == "--size is now --bytes");
  CHECK(parse("kw", {"cam", "A=1", "--type", "L"}).find("--as integer") != std::string::npos);
  CHECK(parse("post", {"cam", "--check"}) == "unknown option --check");
}

TEST_CASE("command lines as they are meant") {
  CHECK(parse("create",
              {"tui16>cam", "320x256", "--circular-buffer", "16", "--set", "A=1/'[s]'"}) == "");
  CHECK(parse("create", {"cam", "320", "256", "-T", "int8", "-k", "20", "-c0", "-s", "3"}) == "");
  CHECK(parse("create", {"--set", "A=1", "cam", "320"}) == "");
  CHECK(parse("connect", {"@S:dark"}) == "");
  CHECK(parse("cat", {"cam[0:63,0:63]", "-f", "-n", "100", "-o", "raw"}) == "");
  CHECK(parse("post", {"@E:roi", "--data", "-", "--trigger", "cam", "--pid", "77"}) == "");
  CHECK(parse("post", {"cam", "-s", "1", "-s", "2"}) == "");
  CHECK(parse("wait", {"cam", "-t", "2s", "--print", "{cnt0}"}) == "");
  CHECK(parse("ls", {"cam*", "-l", "--over", "2s", "--sort", "rate"}) == "");
  CHECK(parse("ls", {"--watch", "cam*"}) == "");
  CHECK(parse("ls", {"--watch", "-n", "3"}) == "");
  CHECK(parse("info", {"cam", "--frames", "100", "--stats", "--json"}) == "");
  CHECK(parse("kw", {"cam", "EXPTIME=0.5/'[s]'", "GAIN"}) == "");
  CHECK(parse("link", {"@N:alias", "@E:cam"}) == "");
  CHECK(parse("top", {"cam*", "--sort", "rate", "-i", "100ms"}) == "");
  CHECK(parse("top", {"-b", "-n", "3", "--json"}) == "");
  CHECK(parse("trace", {"--all", "--dot"}) == "");
  CHECK(parse("trace", {"--graph", "--json", "--over", "1s"}) == "");
  CHECK(parse("trace", {"out", "--follow", "-n", "100", "--budget", "2ms"}) == "");
  CHECK(parse("rm", {"--dry-run", "test_*"}) == "");
  CHECK(parse("bench", {}) == "");
  CHECK(parse("bench",
              {"latency", "fits", "--cpu", "0,1", "--bytes", "128KiB", "--bytes", "8MiB"}) == "");
}

TEST_CASE("command lines that contradict themselves") {
  CHECK(parse("create", {}) == "REF is required");
  CHECK(parse("cat", {"cam", "-f", "-n", "0"}).starts_with("-n: "));
  CHECK(parse("post", {"cam", "-s", "1", "--except", "2"}) == "--sem excludes --except");
  CHECK(parse("post", {"cam", "--data", "-", "--update"}) == "--update excludes --data");
  CHECK(parse("wait", {"cam", "--flush"}) == "--flush requires --sem");
  CHECK(parse("wait", {"cam", "--forever", "-n", "2"}) == "-n excludes --forever");
  CHECK(parse("wait", {"cam", "-t", "soon"}).find("'soon' is not a duration") != std::string::npos);
  CHECK(parse("ls", {"-n", "3"}) == "-n requires --watch");
  CHECK(parse("top", {"-n", "3"}) == "-n requires --batch");
  CHECK(parse("top", {"--json"}) == "--json requires --batch");
  CHECK(parse("top", {"-b", "--openmetrics"}) == "--batch excludes --openmetrics");
  CHECK(parse("info", {"cam", "--check", "uint8", "--json"}) == "--check excludes --json");
  CHECK(parse("kw", {"cam", "A=1", "--delete", "--as", "real"}) == "--delete excludes --as");
  CHECK(parse("trace", {"--json", "--dot"}) == "--dot excludes --json");
  CHECK(parse("bench", {"--json", "--csv"}) == "--csv excludes --json");
  CHECK(parse("bench", {"speed"}).starts_with("MEASURE: "));
}

TEST_CASE("a name with a slip in it is found among others") {
  const std::vector<std::string> names{"cam", "wfs_cam", "dm00disp", "im1"};
  CHECK(similar_name("cma", names) == "cam");
  CHECK(similar_name("camm", names) == "cam");
  CHECK(similar_name("wfscam", names) == "wfs_cam");
  CHECK(similar_name("dm00dsip", names) == "dm00disp");
  CHECK(similar_name("dark", names).empty());
  CHECK(similar_name("ca", names).empty());  // too short for a slip
  CHECK(similar_name("cam", {}).empty());
}

TEST_CASE("durations take a unit; a bare number is seconds") {
  using std::chrono::nanoseconds;
  CHECK(parse_duration("250us") == nanoseconds{250'000});
  CHECK(parse_duration("5ms") == nanoseconds{5'000'000});
  CHECK(parse_duration("2s") == nanoseconds{2'000'000'000});
  CHECK(parse_duration("1m") == nanoseconds{60'000'000'000});
  CHECK(parse_duration("0.25") == nanoseconds{250'000'000});
  CHECK(parse_duration("7ns") == nanoseconds{7});
  CHECK(parse_duration("1e300") == std::chrono::seconds{1'000'000'000});
  for (const char* nonsense : {"", "s", "-1s", "1 s", "1parsec", "nan", "inf"}) {
    CAPTURE(nonsense);
    CHECK(refused([&] { parse_duration(nonsense); }).find("is not a duration") !=
          std::string::npos);
  }
}

TEST_CASE("a stream may be named by its file") {
  const auto read = [](const char* text) {
    const FileReference named = file_reference(text);
    return named.reference + " in " + named.directory;
  };
  CHECK(read("cam") == "cam in ");
  CHECK(read("cam[0:9]") == "cam[0:9] in ");
  CHECK(read("cam.im.shm") == "cam in ");
  CHECK(read("/dev/shm/cam.im.shm") == "cam in /dev/shm");
  CHECK(read("shm/cam.im.shm[*,0]") == "cam[*,0] in shm");
  CHECK(read("./cam.im.shm") == "cam in .");
  CHECK(read("/cam.im.shm") == "cam in /");
  CHECK(read("@SE:tf32>/a:b/c>d/cam.im.shm") == "@SE:tf32>cam in /a:b/c>d");
  CHECK(read("../cam[ab].im.shm") == "cam[ab] in ..");
  CHECK(read("a.im.shm.im.shm") == "a.im.shm in ");
  CHECK(read("a.im.shmx") == "a.im.shmx in ");
  CHECK(read("a.im.shmx/b.im.shm") == "b in a.im.shmx");
  CHECK(read("/dev/shm/cam") == "/dev/shm/cam in ");
}

TEST_CASE("--print fills in fields, with a format where one is given") {
  const Record record{{"cnt0", 7U},       {"name", "im\0331"},
                      {"latency", 0.5},   {"semaphore", -1},
                      {"atime", nullptr}, {"writetime", "2026-11-22T00:41:32.000000005Z"}};
  const auto print = [&](const char* text) {
    return render(text, record, [](const std::string& name) {
      return name == "EXPTIME" ? Record(0.25) : name == "ESO DET DIT" ? Record("dark") : Record();
    });
  };
  CHECK(print("{cnt0} {name}") == "7 im\\x1b1\n");
  CHECK(print("{cnt0:04} {latency:.3f} {semaphore}") == "0007 0.500 -1\n");
  CHECK(print("{{}} {{kw.X}}") == "{} {kw.X}\n");
  CHECK(print("{cnt0}\\t{semaphore}\\n\\\\t\\x") == "7\t-1\n\\t\\x\n");
  CHECK(print("{writetime}") == "2026-11-22T00:41:32.000000005Z\n");
  CHECK(print("{writetime:unix} {writetime:unix>22}") ==
        "1795308092.000000005   1795308092.000000005\n");
  CHECK(print("{atime:unix} {atime}") == "null null\n");
  CHECK(print("{kw.EXPTIME:.3f}|{kw.ESO DET DIT:>6}|{kw.NONE:.3f}") == "0.250|  dark|null\n");
  CHECK(refused([&] {
          print("{cnt}");
        }).find("the fields are cnt0 name latency semaphore atime writetime kw.NAME") !=
        std::string::npos);
  CHECK_FALSE(refused([&] { print("{cnt0"); }).empty());
  CHECK_FALSE(refused([&] { print("{kw.EXPTIME"); }).empty());
  CHECK_FALSE(refused([&] { print("{name:d}"); }).empty());
  CHECK_FALSE(refused([&] { print("{writetime:epoch}"); }).empty());
  CHECK(to_json_line(Record{{"cnt0", 7U}, {"name", "im\0331"}, {"latency", 0.5}}) ==
        "{\"cnt0\":7,\"name\":\"im\\u001b1\",\"latency\":0.5}\n");
  CHECK(to_json_line(Record{{"name", "\xFF"}}) == "{\"name\":\"\xEF\xBF\xBD\"}\n");
}

TEST_CASE("a cell of comma-separated values is in quotes where it must be") {
  CHECK(csv_cell("a b") == "a b");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"a\"") == "\"say \"\"a\"\"\"");
  CHECK(csv_cell("two\nlines") == "\"two\nlines\"");
  CHECK(csv_line({"", "1", ""}) == ",1,\n");
  const Record record{{"name", "a,b"}, {"cnt0", 7U}, {"latency", nullptr}};
  CHECK(csv_names(record) == "name,cnt0,latency\n");
  CHECK(csv_values(record) == "\"a,b\",7,\n");
}

TEST_CASE("frames print in the shortest exact form, rows as lines, planes apart") {
  const auto text = [](auto values, DataType type, const Shape& shape) {
    return to_text(std::as_bytes(std::span(values)), type, shape);
  };
  CHECK(text(std::vector<float>{0.1F, 1.0F, -2.5e-8F}, DataType::float32, Shape{3}) ==
        "0.1 1 -2.5e-08\n");
  CHECK(text(std::vector<double>{0.1, NAN, -INFINITY}, DataType::float64, Shape{3}) ==
        "0.1 nan -inf\n");
  CHECK(text(std::vector<std::int8_t>{-128, 127, 1, 2}, DataType::int8, Shape{2, 2}) ==
        "-128 127\n1 2\n");
  CHECK(text(std::vector<std::uint8_t>{1, 2, 3, 4}, DataType::uint8, Shape{1, 2, 2}) ==
        "1\n2\n\n3\n4\n");
  CHECK(text(std::vector<float>{1, -2}, DataType::complex64, Shape{1}) == "1-2j\n");
  CHECK(text(std::vector{float_to_float16(0.1F), float_to_float16(-26416), float_to_float16(65504)},
             DataType::float16, Shape{3}) == "0.1 -26420 65500\n");
}

TEST_CASE("every float16 prints as text that reads back as itself") {
  for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const std::array value{static_cast<std::uint16_t>(bits)};
    const std::string text = to_text(std::as_bytes(std::span(value)), DataType::float16, Shape{1});
    REQUIRE(float_to_float16(std::stof(text)) == bits);
  }
}

TEST_CASE("fill values must fit the type") {
  const auto filled = [](DataType type, const std::string& value) {
    std::vector<std::byte> frame(2 * element_size(type));
    fill_with(frame, type, value);
    return to_text(frame, type, Shape{2});
  };
  CHECK(filled(DataType::uint8, "255") == "255 255\n");
  CHECK(filled(DataType::int64, "-9223372036854775808") ==
        "-9223372036854775808 -9223372036854775808\n");
  CHECK(filled(DataType::float32, "nan") == "nan nan\n");
  CHECK(filled(DataType::complex128, "1.5") == "1.5+0j 1.5+0j\n");
  CHECK(filled(DataType::float16, "0.5") == "0.5 0.5\n");
  CHECK(refused([&] { filled(DataType::uint8, "256"); }) == "--fill: '256' does not fit uint8");
  CHECK(refused([&] { filled(DataType::uint16, "-1"); }) == "--fill: '-1' does not fit uint16");
  CHECK(refused([&] { filled(DataType::int32, "1.5"); }) == "--fill: '1.5' does not fit int32");
  CHECK(refused([&] { filled(DataType::float64, ""); }) == "--fill: '' does not fit float64");
}

TEST_CASE("NumPy's header is 64 bytes or a multiple, and says type and shape in C order") {
  const std::string header = npy_header(DataType::uint16, Shape{4, 3, 2});
  CHECK(header.size() % 64 == 0);
  CHECK(header.starts_with(std::string("\x93NUMPY\x01\x00\x76\x00", 10)));
  CHECK(header.find("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3, 4), }") !=
        std::string::npos);
  CHECK(header.back() == '\n');
}

TEST_CASE("a text is as wide as a terminal shows it") {
  CHECK(width_of("") == 0);
  CHECK(width_of("cam") == 3);
  CHECK(width_of("caméra") == 6);
  CHECK(width_of("相机2") == 5);
  CHECK(width_of("🔭") == 2);
  CHECK(beginning_of("caméra", 4) == "camé");
  CHECK(beginning_of("相机2", 3) == "相");
  CHECK(beginning_of("相机2", 5) == "相机2");
  CHECK(beginning_of("cam", 9) == "cam");
  CHECK(beginning_of("cam", 0).empty());
}

TEST_CASE("a table is aligned by what a terminal shows") {
  CHECK(to_table({{"NAME", "CNT0"}, {"相机", "1"}, {"cam", "22"}}, 2, {false, true}) ==
        "NAME  CNT0\n"
        "相机     1\n"
        "cam     22\n");
}

TEST_CASE(
    "a signal that comes just when a tool has said that it is ready ends it as any later one") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t tool = in_child([&] {
    install_signal_handlers();
    static_cast<void>(::raise(SIGTERM));
    Readiness(static_cast<unsigned>(ends[1])).say();
  });
  CHECK(reap(tool) == 0);
  char said = '\0';
  CHECK(::read(ends[0], &said, 1) == 1);
  CHECK(said == '\n');
  ::close(ends[0]);
  ::close(ends[1]);
}
