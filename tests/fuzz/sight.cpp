// What a host tells of its streams: of any bytes an Error (failed) comes or a sight, which is
// written and read as it was.

#include <cstdlib>
#include <span>
#include <string>

#include <shmim/error.hpp>
#include <shmim/sight.hpp>

using namespace shmim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string written = encode_sight(decode_sight(std::as_bytes(std::span(data, size))));
    if (encode_sight(decode_sight(std::as_bytes(std::span(written)))) != written) {
      std::abort();
    }
  } catch (const Error& error) {
    if (error.problem() != Problem::failed) {
      std::abort();
    }
  }
  return 0;
}
