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
  for (const auto& use : {find_use(path), find_use(path, &holders)}) {
    REQUIRE(use);
    CHECK(use->why == InUse::Why::is_open);
    CHECK(to_string(*use).find("has it open") != std::string::npos);
  }
  CHECK(find_use(path, &holders)->process == this_process());
  CHECK(remove_if_stale(path, identity)->why == InUse::Why::is_open);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("what nobody has open is removed, if it is still what it was") {
  const Directory directory;
  const auto path = abandoned(directory);
  const auto identity = identity_of(path);
  REQUIRE(identity);
  CHECK_FALSE(find_use(path));
  CHECK(says(error_of([&] {
               static_cast<void>(remove_if_stale(path, Identity{1, 1}));
             }),
             "was re-created meanwhile, and is left alone"));
  CHECK_FALSE(remove_if_stale(path, *identity));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a file that is gone, or a link that leads nowhere, is nobody's") {
  const Directory directory;
  CHECK_FALSE(find_use(directory.stream("gone")));
  std::filesystem::create_symlink("nowhere", directory.stream("link"));
  CHECK_FALSE(find_use(directory.stream("link")));
}

TEST_CASE("what cannot be told is said with its reason") {
  CHECK(to_string(InUse{InUse::Why::not_known, 0, "because"}) == "because");
  CHECK(to_string(InUse{}) == "a process that we do not see has it open");
}
