// Lists the streams whose names match a pattern, with their types and sizes.
#include <fmt/format.h>
#include <shmim/fmt.hpp>
#include <shmim/shmim.hpp>

int main(int argc, char** argv) try {
  for (const auto& stream : shmim::streams(argc > 1 ? argv[1] : "*")) {
    fmt::print("{:<12} {} {}\n", stream.name, stream.format.type, stream.format.shape);
  }
} catch (const shmim::Error& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
