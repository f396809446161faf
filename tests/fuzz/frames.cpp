// Frames: of any bytes an Error (failed) comes or frames, and those are written as they were read.

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/frames.hpp>
#include <shmim/shmim.hpp>

using namespace shmim;

namespace {

FrameReader reader_of(std::string_view bytes) {
  return {"fuzz", [bytes](std::span<std::byte> room) mutable {
            const std::size_t size = std::min(room.size(), bytes.size());
            std::memcpy(room.data(), bytes.data(), size);
            bytes.remove_prefix(size);
            return size;
          }};
}

void check_written(const FrameRecord& frame, const std::vector<std::byte>& pixels) {
  std::string written = frame_head(frame);
  const std::size_t head_bytes = written.size();
  written.append(reinterpret_cast<const char*>(pixels.data()), pixels.size());
  FrameReader reader = reader_of(written);
  const auto again = reader.next();
  std::vector<std::byte> pixels_again(pixels.size());
  reader.read(pixels_again);
  // As text, since a keyword may be NaN.
  if (!again || frame_head(*again) != written.substr(0, head_bytes) || pixels_again != pixels ||
      reader.next()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    FrameReader reader = reader_of({reinterpret_cast<const char*>(data), size});
    while (const auto frame = reader.next()) {
      if (frame->bytes() <= size) {
        std::vector<std::byte> pixels(frame->bytes());
        reader.read(pixels);
        check_written(*frame, pixels);
      }
    }
  } catch (const Error& error) {
    if (error.problem() != Problem::failed) {
      std::abort();
    }
  }
  return 0;
}
