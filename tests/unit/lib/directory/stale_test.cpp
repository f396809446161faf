#include <csignal>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// A stream that a process made which is dead by now.
std::filesystem::path abandoned(const Directory& directory) {
  CHECK(reap(in_child([&] { static_cast<void>(directory.make("im1")); })) == 0);
  return directory.stream("im1");
}

}  // namespace

TEST_CASE("a stream is in use while a process that it names lives") {
  const Directory directory;
  const auto path = directory.make("im1").path();
  const auto use = find_use(path);
  REQUIRE(use);
  CHECK(use->why == InUse::Why::names_process);
  CHECK(use->process == this_process());
  CHECK(to_string(*use).find("made, owns or writes it") != std::string::npos);
}

TEST_CASE("a stream is in use while a process has it open, by a look then or before") {
  const Directory directory;
  const auto path = abandoned(directory);
  const Stream stream = Stream::open(path, Access::read);
  const Identity identity = stream.identity();
  const HolderTable holders(std::span(&identity, 1));
  for (const auto& use : {find_use(path), find_use(path, holders)}) {
    REQUIRE(use);
    CHECK(use->why == InUse::Why::is_open);
    CHECK(use->process == this_process());
    CHECK(to_string(*use).find("has it open") != std::string::npos);
  }
}

TEST_CASE("a file that is gone, or a link that leads nowhere, is nobody's") {
  const Directory directory;
  CHECK_FALSE(find_use(directory.stream("gone")));
  std::filesystem::create_symlink("nowhere", directory.stream("link"));
  CHECK_FALSE(find_use(directory.stream("link")));
}

TEST_CASE("processes that may have a file open are counted") {
  CHECK(to_string(InUse{InUse::Why::may_be_open, 0, 1}) ==
        "1 process that we may not look into may have it open");
  CHECK(to_string(InUse{InUse::Why::may_be_open, 0, 2}) ==
        "2 processes that we may not look into may have it open");
}
