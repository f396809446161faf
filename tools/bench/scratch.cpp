#include "bench/scratch.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace shmim::tools::bench {

Scratch::Scratch(const std::filesystem::path& shm) {
  std::string name = (shm / "shmim-bench.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error::system(shm.string(), "cannot make a directory there", errno);
  }
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Stream Scratch::stream(const std::string& name, std::uint64_t frame_bytes,
                       std::uint32_t circular_buffer) const {
  return stream(name, format_of(frame_bytes, circular_buffer));
}

Stream Scratch::stream(const std::string& name, const Format& format) const {
  Stream stream = Stream::draft(path_, name, format);
  remove(name);
  static_cast<void>(stream.publish());
  return stream;
}

void Scratch::remove(const std::string& name) const {
  std::error_code ignored;
  std::filesystem::remove(stream_path(path_, name), ignored);
}

Temporary::Temporary(const Scratch& scratch, const std::string& name, std::uint64_t frame_bytes,
                     std::uint32_t circular_buffer)
    : scratch_(scratch), stream_(scratch.stream(name, frame_bytes, circular_buffer)) {}

Temporary::Temporary(const Scratch& scratch, const std::string& name, const Format& format)
    : scratch_(scratch), stream_(scratch.stream(name, format)) {}

Temporary::~Temporary() { scratch_.remove(stream_.name()); }

Format format_of(std::uint64_t frame_bytes, std::uint32_t circular_buffer) {
  constexpr std::uint64_t row = 1024;
  Format format;
  format.type = DataType::uint8;
  format.shape = frame_bytes % row == 0 && frame_bytes > row
                     ? Shape{row, static_cast<std::uint32_t>(frame_bytes / row)}
                     : Shape{static_cast<std::uint32_t>(frame_bytes)};
  format.circular_buffer = circular_buffer;
  return format;
}

}  // namespace shmim::tools::bench
