#include <array>
#include <csignal>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/process_stat.hpp"
#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

TEST_CASE("a draft has no name until it is published, then a whole file") {
  const Directory directory;
  const Segment draft = Segment::draft(directory.path(), 1000);
  CHECK(std::filesystem::is_empty(directory.path()));
  draft.data()[999] = std::byte{7};
  CHECK(draft.publish(directory.path() / "a"));
  CHECK(bytes_of(directory.path() / "a").size() == 1000);
  CHECK(bytes_of(directory.path() / "a")[999] == std::byte{7});
  CHECK_FALSE(draft.publish(directory.path() / "a"));
}

TEST_CASE("a mapping that is released is its new owner's") {
  const Directory directory;
  const auto path = directory.path() / "a";
  Segment segment = Segment::draft(directory.path(), 1000);
  REQUIRE(segment.publish(path));
  const Identity identity = segment.identity();
  BareMapping mapping;
  {
    Segment moved = std::move(segment);
    mapping = std::move(moved).release();
  }
  REQUIRE(mapping.data != nullptr);
  CHECK(mapping.size == 1000);
  mapping.data[999] = std::byte{7};
  CHECK(bytes_of(path)[999] == std::byte{7});
  struct stat status {};
  CHECK(::fstat(mapping.descriptor, &status) == 0);
  CHECK(status.st_ino == identity.inode);
  CHECK(::munmap(mapping.data, mapping.size) == 0);
  CHECK(::close(mapping.descriptor) == 0);
}

TEST_CASE("publish_over replaces in one step and leaves nothing else behind") {
  const Directory directory;
  const auto path = directory.path() / "a";
  REQUIRE(Segment::draft(directory.path(), 10).publish(path));
  const Segment replaced = Segment::open(path, Access::read);
  Segment::draft(directory.path(), 20).publish_over(path);
  CHECK(bytes_of(path).size() == 20);
  CHECK(replaced.size() == 10);
  CHECK(identity_of(path) != replaced.identity());
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("what killed replacements left is cleaned up by the next, whatever its name") {
  const Directory directory;
  write_bytes(directory.path() / ".a.shmim-new", std::vector<std::byte>(5));
  write_bytes(directory.path() / ".b.shmim-new", std::vector<std::byte>(5));
  Segment::draft(directory.path(), 20).publish_over(directory.path() / "a");
  CHECK(bytes_of(directory.path() / "a").size() == 20);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("publish_over replaces a link, not what it leads to, and says whose it was") {
  const Directory directory;
  const auto target = directory.path() / "target";
  const auto link = directory.path() / "link";
  CHECK(Segment::draft(directory.path(), 10).publish_over(target) == std::nullopt);
  std::filesystem::create_symlink("target", link);
  CHECK(Segment::draft(directory.path(), 20).publish_over(link) == ::getuid());
  CHECK(bytes_of(target).size() == 10);
  CHECK(bytes_of(link).size() == 20);
  CHECK_FALSE(std::filesystem::is_symlink(link));
}

TEST_CASE("a file that is cut short is noticed, and does not end the process") {
  const Directory directory;
  const auto path = directory.path() / "a";
  REQUIRE(Segment::draft(directory.path(), 100'000).publish(path));
  CHECK(reap(in_child([&] {
          survive_truncation();
          const Segment segment = Segment::open(path, Access::read_write);
          const Segment other = Segment::open(path, Access::read);
          if (!segment.is_intact() || segment.is_lost()) {
            ::_exit(1);
          }
          std::array<std::byte, 2> part{};
          const auto middle = std::span<const std::byte>(segment.data(), 60'000).last(part.size());
          segment.data()[59'999] = std::byte{7};
          if (!segment.read_once(middle, part.data()) || part[1] != std::byte{7}) {
            ::_exit(5);
          }
          std::filesystem::resize_file(path, 10);
          if (segment.is_intact() || segment.is_lost() || segment.read_once(middle, part.data())) {
            ::_exit(2);
          }
          const auto read =
              layout::load(*reinterpret_cast<const std::uint64_t*>(segment.data() + 50'000));
          if (read != 0 || !segment.is_lost() || other.is_lost()) {
            ::_exit(3);
          }
          segment.data()[99'999] = std::byte{1};
          ::_exit(other.data()[60'000] == std::byte{0} && other.is_lost() ? 0 : 4);
        })) == 0);
}

TEST_CASE("a bus error that is none of ours ends the process as ever, or reaches its handler") {
  const Directory directory;
  const auto path = directory.path() / "a";
  const auto fault = [&path] {
    write_bytes(path, std::vector<std::byte>(10));
    const FileDescriptor file(::open(path.c_str(), O_RDWR));
    ::truncate(path.c_str(), 0);
    void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.get(), 0);
    static_cast<void>(layout::load(*static_cast<const std::uint64_t*>(page)));
  };
  CHECK(reap(in_child([&] {
          static_cast<void>(std::signal(SIGBUS, SIG_DFL));  // a sanitizer has one of its own
          survive_truncation();
          fault();
        })) == 128 + SIGBUS);
  CHECK(reap(in_child([&] {
          static_cast<void>(std::signal(SIGBUS, [](int) { ::_exit(42); }));
          survive_truncation();
          fault();
        })) == 42);
}

TEST_CASE("a draft has the mode that is asked for, else the umask's") {
  const Directory directory;
  const mode_t before = ::umask(027);
  REQUIRE(Segment::draft(directory.path(), 1).publish(directory.path() / "default"));
  REQUIRE(Segment::draft(directory.path(), 1, 0666).publish(directory.path() / "asked"));
  ::umask(before);
  struct stat status {};
  ::stat((directory.path() / "default").c_str(), &status);
  CHECK((status.st_mode & 0777) == 0640);
  ::stat((directory.path() / "asked").c_str(), &status);
  CHECK((status.st_mode & 0777) == 0666);
}

TEST_CASE("opening says what is wrong with a file") {
  const Directory directory;
  const auto path = directory.path() / "a";
  const auto open = [&] { static_cast<void>(Segment::open(path, Access::read)); };

  SUBCASE("missing") {
    const Error error = error_of(open);
    CHECK(error.problem() == Problem::not_found);
    CHECK(says(error, "cannot open: No such file or directory"));
  }
  SUBCASE("empty") {
    write_bytes(path, {});
    CHECK(error_of(open).problem() == Problem::too_short);
  }
  SUBCASE("a directory") {
    std::filesystem::create_directory(path);
    CHECK(says(error_of(open), "is not a regular file"));
  }
  SUBCASE("a dangling link") {
    std::filesystem::create_symlink("gone\033[1m", path);
    const Error error = error_of(open);
    CHECK(error.problem() == Problem::dangling_link);
    CHECK(says(error, "is a link to gone\\x1b[1m, which is not there"));
  }
  SUBCASE("a fifo does not block") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(says(error_of(open), "is not a regular file"));
  }
}

TEST_CASE("drafting says what is wrong with a directory") {
  CHECK(error_of([] { static_cast<void>(Segment::draft("/nowhere/at/all", 1)); }).problem() ==
        Problem::no_directory);
}

TEST_CASE("a claim excludes others, names its holder, and goes with its process") {
  const Directory directory;
  const auto path = directory.path() / "a";
  const Segment segment = Segment::draft(directory.path(), 10);
  REQUIRE(segment.publish(path));
  CHECK(segment.claimed_by() == 0);
  {
    const auto claim = segment.claim();
    REQUIRE(claim);
    CHECK_FALSE(segment.claim());
    CHECK_FALSE(Segment::open(path, Access::read_write).claim());
    CHECK(Segment::open(path, Access::read).claimed_by() == ::getpid());
  }
  CHECK(segment.claimed_by() == 0);

  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = in_child([&] {
    const auto claim = Segment::open(path, Access::read_write).claim();
    if (::write(ready[1], claim ? "y" : "n", 1) == 1) {
      ::pause();
    }
  });
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(segment.claimed_by() == child);
  CHECK_FALSE(segment.claim());
  ::kill(child, SIGKILL);
  reap(child);
  CHECK(segment.claimed_by() == 0);
  CHECK(segment.claim());
}

TEST_CASE("a file is removed only if it is still the one that was looked at") {
  const Directory directory;
  const auto path = directory.path() / "a";
  REQUIRE(Segment::draft(directory.path(), 1).publish(path));
  const Identity looked_at = *identity_of(path);
  Segment::draft(directory.path(), 1).publish_over(path);
  CHECK_FALSE(remove_if_same(path, looked_at));
  CHECK(std::filesystem::exists(path));
  CHECK(remove_if_same(path, *identity_of(path)));
  CHECK_FALSE(remove_if_same(path, looked_at));
}

TEST_CASE("what /proc/PID/stat says, whatever the command is called") {
  const auto stat = parse_process_stat("7 (a) b) S 1 7 7 0 -1 4194560 100 0");
  REQUIRE(stat);
  CHECK(stat->state == 'S');
  CHECK_FALSE(stat->is_kernel_thread);
  CHECK_FALSE(stat->has_ended());
  CHECK(parse_process_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0")->is_kernel_thread);
  CHECK(parse_process_stat("8 (x) Z 1 7 7 0 -1 4227084 0")->has_ended());
  for (const char* line : {"", "7", "7 (x)", "7 (x) ", "7 (x) S", "7 (x) S 1 7 7 0 -1"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_process_stat(line));
  }
}

TEST_CASE("this process knows its PID, in a forked child too") {
  CHECK(this_process() == ::getpid());
  CHECK(reap(in_child([] { ::_exit(this_process() == ::getpid() ? 0 : 1); })) == 0);
}

TEST_CASE("a zombie does not live, a process we may not signal does") {
  CHECK(is_alive(::getpid()));
  CHECK(is_alive(1));
  CHECK_FALSE(is_alive(0));
  CHECK_FALSE(is_alive(-1));
  const pid_t child = in_child([] {});
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  CHECK_FALSE(is_alive(child));
  reap(child);
  CHECK_FALSE(is_alive(child));
}

TEST_CASE("text of unknown origin is made safe for a terminal") {
  CHECK(printable("plain") == "plain");
  CHECK(printable("a\033[31mb\n\x7f") == "a\\x1b[31mb\\x0a\\x7f");
  CHECK(printable("\u00e9 \u20ac \U0001F600") == "\u00e9 \u20ac \U0001F600");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");  // C1's form of ESC [
  // NOLINTNEXTLINE(misc-misleading-bidirectional): it is the one to be shown
  CHECK(printable("\xe2\x80\xaegnp") == "\\xe2\\x80\\xaegnp");
  CHECK(printable("\x9b \xc3( \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82") ==
        "\\x9b \\xc3( \\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82");
}

TEST_CASE("times are TAI, and shown in UTC") {
  CHECK(to_utc(never) == "never");
  const Tai time{std::chrono::seconds{1795308092} + tai_offset() + std::chrono::nanoseconds{5}};
  CHECK(to_utc(time) == "2026-11-22T00:41:32.000000005Z");
  CHECK(to_tai(to_timespec(time)) == time);
}
