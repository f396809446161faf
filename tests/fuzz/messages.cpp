// What senders and receivers say to one another: of any bytes an Error (failed) comes or a message,
// and that is written and read as it was.

#include <cstdlib>
#include <span>
#include <string>

#include <shmim/error.hpp>

#include "network/message.hpp"

using namespace shmim;
using namespace shmim::network;

namespace {

template <class Decode>
void check(std::span<const std::byte> bytes, const Decode& decode) {
  try {
    const auto message = decode(bytes);
    const std::string written = encode(message);
    if (encode(decode(std::as_bytes(std::span(written)))) != written) {
      std::abort();
    }
  } catch (const Error& error) {
    if (error.problem() != Problem::failed) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes, decode_from_receiver);
  check(bytes, decode_from_sender);
  return 0;
}
