// One peer for a script: what it is to do is its role; it says `ready` when it is done with its
// part, and stays until its standard input ends.

#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "c_library.hpp"
#include "harness.hpp"

namespace shmim::faults {
namespace {

void say_ready_and_stay() {
  fmt::print("ready\n");
  static_cast<void>(std::fflush(stdout));
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

layout::Geometry geometry_for(const std::string& size) {
  Format format;
  format.type = DataType::uint8;
  format.shape = parse_shape(size);
  return geometry_of(format);
}

void write_frames(const PeerOptions& options) {
  const c_library::Image image = c_library::open(options.path);
  for (std::uint64_t frame = 0; frame < options.frames; ++frame) {
    c_library::begin(image);
    std::fill(image.array.begin(), image.array.end(), static_cast<std::byte>(image.md->cnt0 + 1));
    c_library::update(image);
  }
}

/// Stops in mid-frame, and goes on when it is continued.
void hold(const PeerOptions& options) {
  Stream stream = Stream::open(options.path);
  WriteGuard guard(stream);
  std::fill(guard.pixels().begin(), guard.pixels().end(), std::byte{0xFF});
  fmt::print("ready\n");
  static_cast<void>(std::fflush(stdout));
  static_cast<void>(std::raise(SIGSTOP));
  guard.publish();
}

/// Leaves a frame unfinished, and lives on.
void give_up(const PeerOptions& options) {
  Stream stream = Stream::open(options.path);
  {
    WriteGuard guard(stream);
    guard.pixels()[0] = std::byte{0xFF};
  }
  say_ready_and_stay();
}

}  // namespace

int peer(const PeerOptions& options) {
  if (options.role == "create") {
    c_library::create(options.path, geometry_for(options.size));
  } else if (options.role == "create-halfway") {
    c_library::create(options.path, geometry_for(options.size), say_ready_and_stay);
  } else if (options.role == "write") {
    write_frames(options);
  } else if (options.role == "hold") {
    hold(options);
  } else if (options.role == "give-up") {
    give_up(options);
  } else if (options.role == "record") {
    record_frames(options.path);
  } else if (options.role == "record-full") {
    record_until_full(options);
  } else if (options.role == "record-types") {
    record_types(options.path);
  } else if (options.role == "compress-types") {
    compress_types(options.path);
  } else if (options.role == "compress") {
    compress_recorded(options.path);
  } else if (options.role == "repair") {
    repair_recorded(options.path);
  } else if (options.role == "claim") {
    const c_library::Image image = c_library::open(options.path);
    for (std::uint64_t semaphore = 0; semaphore < options.frames; ++semaphore) {
      static_cast<void>(c_library::claim_semaphore(image));
    }
    say_ready_and_stay();
  } else {
    throw Error(Problem::usage, options.role, "is no role of a peer");
  }
  return 0;
}

}  // namespace shmim::faults
