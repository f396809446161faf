// Frames to a recording, on the disk of the working directory. The floor is pwrite of as many bytes
// in as large pieces, past the cache of the system where that can be. Both take them from more
// memory than a processor's cache holds, as frames come: the same few megabytes again and again go
// to some disks a third faster.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include <fcntl.h>
#include <fmt/format.h>
#include <shmim/recording.hpp>
#include <unistd.h>

#include "bench/measure.hpp"

namespace shmim::tools::bench {
namespace {

/// As a recording has them.
constexpr std::size_t piece_bytes = std::size_t{4} << 20;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t source_bytes = std::size_t{64} << 20;
/// Of a sample: what a disk does with less says little.
constexpr std::uint64_t usual_bytes = std::uint64_t{256} << 20;

/// A folder in the working directory, removed with all that is in it.
class DiskFolder {
 public:
  DiskFolder() {
    std::string name = "./.shmim-bench.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error::system(".", "cannot make a directory there", errno);
    }
    path_ = name;
  }
  ~DiskFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  DiskFolder(const DiskFolder&) = delete;
  DiskFolder(DiskFolder&&) = delete;
  DiskFolder& operator=(const DiskFolder&) = delete;
  DiskFolder& operator=(DiskFolder&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

struct FreePages {
  void operator()(std::byte* pages) const noexcept {
    std::free(pages);  // NOLINT(cppcoreguidelines-no-malloc): they are of aligned_alloc()
  }
};
using Pages = std::unique_ptr<std::byte, FreePages>;

double write_by_hand(const std::filesystem::path& path, const Pages& source, std::uint64_t bytes) {
  constexpr int flags = O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC;
  FileDescriptor file(::open(path.c_str(), flags | O_DIRECT, 0666));
  if (file.get() < 0 && errno == EINVAL) {
    file = FileDescriptor(::open(path.c_str(), flags, 0666));
  }
  const double taken = timed([&] {
    for (std::uint64_t at = 0; at < bytes;) {
      const ssize_t written =
          ::pwrite(file.get(), source.get() + at % source_bytes,
                   std::min<std::uint64_t>(piece_bytes, bytes - at), static_cast<off_t>(at));
      if (written <= 0) {
        throw Error::system(path.string(), "cannot be written", errno);
      }
      at += static_cast<std::uint64_t>(written);
    }
  });
  ::unlink(path.c_str());
  return taken;
}

double record(const std::filesystem::path& path, const RecordedStream& stream, const Pages& source,
              std::uint64_t frames) {
  RecordingWriter writer(path, stream);
  FrameInfo info;
  const std::size_t size = stream.frame_bytes();
  const std::uint64_t distinct = std::max<std::uint64_t>(source_bytes / size, 1);
  const double taken = timed([&] {
    for (info.cnt0 = 1; info.cnt0 <= frames; ++info.cnt0) {
      info.atime = info.writetime = TaiClock::now();
      writer.write(info, 0, stream.keywords, {source.get() + info.cnt0 % distinct * size, size});
    }
    writer.flush();
  });
  writer.discard();
  return taken;
}

}  // namespace

void measure_record(const Bench& bench) {
  const DiskFolder folder;
  const std::vector<std::uint64_t> sizes = bench.sizes_or({128 << 10, 8 << 20});
  std::uint64_t largest = source_bytes;
  for (const std::uint64_t size : sizes) {
    largest = std::max(largest, (size + page_bytes - 1) / page_bytes * page_bytes);
  }
  const Pages source(static_cast<std::byte*>(std::aligned_alloc(page_bytes, largest)));
  if (!source) {
    throw std::bad_alloc();
  }
  for (std::size_t i = 0; i < largest; ++i) {
    source.get()[i] = static_cast<std::byte>(i * 31 >> 3);
  }
  for (const std::uint64_t size : sizes) {
    const std::uint64_t frames = std::clamp<std::uint64_t>(usual_bytes / size, 1, 2048);
    RecordedStream stream;
    stream.name = "record";
    stream.type = DataType::uint16;
    stream.shape = Shape{static_cast<std::uint32_t>(size / sizeof(std::uint16_t))};
    Case contest{"record", fmt::format("{} of {}", frames, bytes_text(size)), {}, 4};
    contest.contenders.push_back({"pwrite of 4 MiB, O_DIRECT", [&] {
                                    return write_by_hand(
                                        folder.path() / "raw", source,
                                        frames * stream.frame_bytes() / page_bytes * page_bytes);
                                  }});
    contest.contenders.push_back(
        {"record", [&] { return record(folder.path() / "cam.fits", stream, source, frames); }});
    bench.run(contest);
  }
}

}  // namespace shmim::tools::bench
