// What senders and receivers say to one another: of any bytes an Error (failed) comes or a message,
// and that is written and read as it was. So it is with compressed pixels: of any bytes an Error
// comes or pixels, and any pixels are the same afterwards.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <shmim/error.hpp>

#include "network/message.hpp"
#include "network/packing.hpp"

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

void check_unpacking(std::span<const std::byte> bytes) {
  // As many as they say that they are of, where that is not too many to fill often.
  constexpr std::size_t where = 4;
  constexpr std::uint32_t most = 1 << 16;
  std::uint32_t claimed = 0;
  if (bytes.size() >= where + sizeof claimed) {
    std::memcpy(&claimed, &bytes[where], sizeof claimed);
  }
  std::vector<std::byte> pixels(std::min(claimed, most));
  try {
    unpack(bytes, pixels);
  } catch (const Error& error) {
    if (error.problem() != Problem::failed) {
      std::abort();
    }
  }
}

void check_packing(std::span<const std::byte> bytes) {
  for (const Compression codec : {Compression::lz4, Compression::zstd}) {
    for (const DataType type : {DataType::uint8, DataType::float16, DataType::complex128}) {
      const std::vector<std::byte> packed = pack(codec, type, bytes);
      std::vector<std::byte> pixels(bytes.size());
      if (!packed.empty()) {
        unpack(packed, pixels);
        if (!std::ranges::equal(bytes, pixels)) {
          std::abort();
        }
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes, decode_from_receiver);
  check(bytes, decode_from_sender);
  check_unpacking(bytes);
  check_packing(bytes);
  return 0;
}
