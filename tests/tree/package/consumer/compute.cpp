// Writes a frame of `dm` for each of `cam`, with a trace that says which it was made of.
#include <fmt/format.h>
#include <shmim/shmim.hpp>

int main() try {
  using namespace std::chrono_literals;
  auto cam = shmim::frames<std::uint16_t>("cam", {.timeout = 2s});
  auto dm = shmim::Writer<float>::open_or_create("dm", cam.stream().format().shape);
  for (const auto& frame : cam) {
    const std::vector<float> commands(frame.begin(), frame.end());
    dm.write(commands, frame.trigger());
  }
  return cam.ended() == shmim::Arrival::timed_out ? 0 : 1;
} catch (const shmim::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
