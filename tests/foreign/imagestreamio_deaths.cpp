// kill -9 at every system call of a program that makes, replaces or destroys an image by
// libImageStreamIO: what is left has its name and is whole, or has none, and whoever comes next
// finds nothing in his way.
//
//   imagestreamio_deaths                      all of it
//   imagestreamio_deaths create|destroy NAME  the program that dies

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include <ImageStreamIO.h>
#include <fmt/format.h>
#include <shmim/shmim.hpp>

#include "faults/traced.hpp"
#include "support/directory.hpp"

namespace {

using shmim::Access;
using shmim::Stream;
using shmim::faults::Traced;
using shmim::test::Directory;

constexpr std::array<std::uint32_t, 2> size{4, 3};

int create(const char* name) {
  IMAGE image;
  std::memset(&image, 0xA5, sizeof image);
  std::array<std::uint32_t, 2> axes = size;
  return ImageStreamIO_createIm(&image, name, axes.size(), axes.data(), _DATATYPE_FLOAT, 1, 5, 3);
}

int destroy(const char* name) {
  IMAGE image;
  return ImageStreamIO_openIm(&image, name) == IMAGESTREAMIO_SUCCESS
             ? ImageStreamIO_destroyIm(&image)
             : 1;
}

shmim::Format format() {
  shmim::Format format;
  format.type = shmim::DataType::float32;
  format.shape = shmim::Shape(size);
  format.keywords = 5;
  format.circular_buffer = 3;
  return format;
}

void make(const Directory& directory) {
  Stream stream = Stream::draft(directory.path(), "cam", format(), 0666);
  static_cast<void>(stream.publish_over());
}

struct Scenario {
  const char* name;
  const char* command;
  bool is_there_before;
  bool is_there_after;
};

struct Tally {
  unsigned deaths = 0;
  unsigned absent = 0;
  unsigned whole = 0;
  unsigned hidden = 0;
  unsigned wrong = 0;
};

void judge(const Directory& directory, const Scenario& scenario, Tally& tally) {
  ++tally.deaths;
  const auto wrong = [&](const std::string& what) {
    ++tally.wrong;
    fmt::print("{}, death {}: {}\n", scenario.name, tally.deaths, what);
  };
  bool is_there = false;
  for (const std::string& name : directory.names()) {
    if (name == "cam.im.shm") {
      is_there = true;
    } else if (name == ".cam.im.shm.shmim-new") {
      ++tally.hidden;
    } else {
      wrong("left " + name);
    }
  }
  if (is_there) {
    ++tally.whole;
    try {
      if (Stream::open(directory.stream("cam"), Access::read_write).format() != format()) {
        wrong("left another format");
      }
    } catch (const shmim::Error& error) {
      wrong(error.what());
    }
  } else {
    ++tally.absent;
    if (scenario.is_there_before && scenario.is_there_after) {
      wrong("left a moment without a file");
    }
  }
  make(directory);
  if (directory.names() != std::vector<std::string>{"cam.im.shm"}) {
    wrong("the next creator leaves more than its stream");
  }
}

Tally run(const Scenario& scenario, const std::string& program) {
  Tally tally;
  // Of what the program does before it comes to the directory nobody can see anything.
  for (unsigned last = 1;; ++last) {
    const Directory directory;
    if (scenario.is_there_before) {
      make(directory);
    }
    Traced process(directory.path(), {program, scenario.command, "cam"});
    bool goes_on = true;
    while (goes_on && !process.is_entering_call_on(directory.path())) {
      goes_on = process.to_next_system_call();
    }
    for (unsigned call = 1; goes_on && call < last; ++call) {
      goes_on = process.to_next_system_call();
    }
    if (!goes_on) {
      const bool is_there = std::filesystem::exists(directory.stream("cam"));
      if (process.exit_status() != 0 || is_there != scenario.is_there_after) {
        ++tally.wrong;
      }
      return tally;
    }
    process.kill();
    judge(directory, scenario, tally);
  }
}

int die_everywhere() {
  if (!Traced::is_permitted()) {
    fmt::print("skipped: ptrace is not permitted here\n");
    return 77;
  }
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  bool is_right = true;
  for (const Scenario& scenario :
       {Scenario{"create", "create", false, true}, Scenario{"replace", "create", true, true},
        Scenario{"destroy", "destroy", true, false}}) {
    const Tally tally = run(scenario, program);
    fmt::print("{}: {} deaths, {} absent, {} whole, {} hidden names, {} wrong\n", scenario.name,
               tally.deaths, tally.absent, tally.whole, tally.hidden, tally.wrong);
    is_right = is_right && tally.wrong == 0 && tally.deaths >= 5;
  }
  return is_right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string command = argc == 3 ? argv[1] : "";
    if (command == "create" || command == "destroy") {
      return command == "create" ? create(argv[2]) : destroy(argv[2]);
    }
    return die_everywhere();
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs(error.what(), stderr));
    return 1;
  }
}
