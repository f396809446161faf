// Writes five frames that grow brighter, 20 ms apart, to a stream that it makes if there is none.
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>

int main() try {
  auto cam = shmim::Writer<std::uint16_t>::open_or_create("cam", {64, 48}, {.circular_buffer = 16});
  cam.keywords().set({"EXPTIME", std::int64_t{2}, "seconds"});
  std::vector<std::uint16_t> pixels(cam.shape().elements());
  for (std::uint16_t brightness = 1; brightness <= 5; ++brightness) {
    std::fill(pixels.begin(), pixels.end(), brightness);
    cam.write(pixels);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
} catch (const shmim::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
