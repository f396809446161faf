// Prints the mean of each frame of a stream of uint16, until none comes for two seconds.
#include <numeric>

#include <fmt/format.h>
#include <shmim/shmim.hpp>

int main() try {
  using namespace std::chrono_literals;
  for (const auto& frame : shmim::frames<std::uint16_t>("cam", {.timeout = 2s})) {
    const double sum = std::accumulate(frame.begin(), frame.end(), 0.0);
    fmt::print("{} {:.1f} missed {}\n", frame.cnt0(), sum / static_cast<double>(frame.size()),
               frame.missed());
  }
} catch (const shmim::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
