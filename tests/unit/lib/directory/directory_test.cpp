#include <csignal>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "support/unit.hpp"

using namespace shmim;
using namespace shmim::test;

namespace {

/// Sets an environment variable, and puts it back.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    before_ = before == nullptr ? std::nullopt : std::optional<std::string>(before);
    ::setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment(Environment&&) = delete;
  Environment& operator=(const Environment&) = delete;
  Environment& operator=(Environment&&) = delete;
  ~Environment() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("MILK_SHM_DIR names the shm directory, and must be one") {
  const Directory directory;
  {
    const Environment set("MILK_SHM_DIR", directory.path().string());
    CHECK(default_shm_directory() == directory.path());
  }
  const Environment set("MILK_SHM_DIR", "/nowhere/at/all");
  const Error error = error_of([] { return default_shm_directory(); });
  CHECK(error.problem() == Problem::no_directory);
  CHECK(std::string(error.what()) == "MILK_SHM_DIR: /nowhere/at/all: no such directory");
}

TEST_CASE("a directory that is none is refused") {
  const Directory directory;
  write_bytes(directory.path() / "file", std::vector<std::byte>(1));
  CHECK(says(error_of([&] { return require_directory(directory.path() / "file"); }),
             "is not a directory"));
}

TEST_CASE("streams are listed by pattern, sorted, hidden files apart") {
  const Directory directory;
  for (const char* name : {"b1", "a2", "a1", "c"}) {
    directory.make(name);
  }
  write_bytes(directory.path() / "other.txt", std::vector<std::byte>(1));
  write_bytes(directory.path() / ".im.shm", std::vector<std::byte>(1));
  write_bytes(directory.path() / ".hidden.im.shm", std::vector<std::byte>(1));
  CHECK(list_streams(directory.path()) == std::vector<std::string>{"a1", "a2", "b1", "c"});
  CHECK(list_streams(directory.path(), "a?") == std::vector<std::string>{"a1", "a2"});
  CHECK(list_streams(directory.path(), "[bc]*") == std::vector<std::string>{"b1", "c"});
  CHECK(list_streams(directory.path(), "z*").empty());
  CHECK(error_of([] { return list_streams("/nowhere/at/all"); }).problem() == Problem::not_found);
}

TEST_CASE("streams are named by the inodes that traces know them by") {
  const Directory directory;
  const ino_t cam = directory.make("cam").identity().inode;
  std::filesystem::create_symlink("cam.im.shm", directory.stream("alias"));
  std::filesystem::create_symlink("nothing.im.shm", directory.stream("broken"));
  const Directory elsewhere;
  const ino_t far = elsewhere.make("far").identity().inode;
  std::filesystem::create_symlink(elsewhere.stream("far"), directory.stream("near"));
  CHECK(names_by_inode(directory.path()) ==
        std::map<ino_t, std::string>{{cam, "cam"}, {far, "near"}});
  CHECK(error_of([] { return names_by_inode("/nowhere/at/all"); }).problem() == Problem::not_found);
}

TEST_CASE("who has a stream open or mapped is found") {
  const Directory directory;
  Identity identity;
  {
    const Stream stream = directory.make("im1");
    identity = stream.identity();
    CHECK(holders_of(identity).processes == std::vector<pid_t>{::getpid()});
  }
  CHECK(holders_of(identity).processes.empty());

  // Mapped only: the descriptor is closed.
  const int descriptor = ::open(directory.stream("im1").c_str(), O_RDONLY);
  void* mapping = ::mmap(nullptr, 1, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  CHECK(holders_of(identity).processes == std::vector<pid_t>{::getpid()});
  ::munmap(mapping, 1);
}

TEST_CASE("a removed stream's readers are woken, and a replaced one is left") {
  const Directory directory;
  const Stream stream = directory.make("im1");
  const Stream successor = Stream::draft(directory.path(), "im1", stream.format());
  const SemaphoreClaim claim = stream.semaphores().claim(3);
  CHECK_FALSE(remove_stream(directory.stream("im1"), Identity{}));
  CHECK(stream.semaphores().value(3) == 0);
  CHECK(remove_stream(directory.stream("im1"), stream.identity()));
  CHECK(stream.semaphores().value(3) == 1);
  CHECK(stream.semaphores().value(0) == 0);  // whose reader would take the post for a frame
  CHECK_FALSE(remove_stream(directory.stream("im1"), stream.identity()));
}

TEST_CASE("a link is removed, not what it points at") {
  const Directory directory;
  directory.make("target");
  std::filesystem::create_symlink("target.im.shm", directory.stream("link"));
  CHECK(Stream::open(directory.stream("link")).name() == "link");
  struct stat status {};
  REQUIRE(::lstat(directory.stream("link").c_str(), &status) == 0);
  CHECK(remove_stream(directory.stream("link"), {status.st_dev, status.st_ino}));
  CHECK(list_streams(directory.path()) == std::vector<std::string>{"target"});
}
