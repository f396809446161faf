// Waits until the shutter is open, and prints the exposure time.
#include <fmt/format.h>
#include <shmim/shmim.hpp>

int main() try {
  using namespace std::chrono_literals;
  const shmim::Stream cam = shmim::open("cam");
  if (!cam.keywords().wait("SHUTTER", "open", 10s)) {
    fmt::print(stderr, "the shutter stays shut\n");
    return 1;
  }
  fmt::print("{} s\n", cam.keywords().get<double>("EXPTIME").value_or(0));
} catch (const shmim::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
