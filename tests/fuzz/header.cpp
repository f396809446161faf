// Whatever the bytes of a file say, looking at it neither crashes nor hangs nor reads outside of
// it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "stream_bytes.hpp"

namespace {

using namespace shmim;

/// A file without a name, written anew for each input.
class File {
 public:
  File()
      : file_(::memfd_create("fuzz", MFD_CLOEXEC)),
        path_(fmt::format("/proc/self/fd/{}", file_.get())) {}
  void write(std::span<const std::uint8_t> bytes, std::size_t size) const {
    if (::ftruncate(file_.get(), 0) != 0 ||
        ::pwrite(file_.get(), bytes.data(), bytes.size(), 0) < 0 ||
        ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
      std::abort();
    }
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  FileDescriptor file_;
  std::filesystem::path path_;
};

void look_at(const Stream& stream) {
  static_cast<void>(to_string(stream.format().shape));
  static_cast<void>(to_string(differences(stream.format(), Requirement{})));
  for (const Tai time : {stream.created(), stream.acquired(), stream.written()}) {
    static_cast<void>(to_utc(time));
  }
  for (const Keyword& keyword : stream.keywords().all()) {
    static_cast<void>(printable(to_string(keyword)));
  }
  for (const TraceEntry& entry : stream.trace().entries()) {
    static_cast<void>(to_utc(entry.written.value_or(never)));
  }
  const Semaphores semaphores = stream.semaphores();
  for (unsigned index = 0; index < std::min(semaphores.count(), 10U); ++index) {
    static_cast<void>(semaphores.value(index));
    static_cast<void>(describe_process(semaphores.reader(index)));
  }
  std::vector<TraceEntry> entries;
  const auto soon = [] { return deadline_after(std::chrono::microseconds{200}); };
  static_cast<void>(stream.snapshot_trace(entries, soon()));
  if (stream.format().location == -1) {
    std::vector<std::byte> frame(stream.format().bytes());
    const Snapshot snapshot = stream.snapshot(frame, soon());
    try {
      stream.require_whole(snapshot);
    } catch (const Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> bytes = fuzz::mostly_at_rest({data, size});
  static const File file;
  file.write(bytes, fuzz::size_for(bytes));
  ProcessTable processes;
  static_cast<void>(describe(file.path(), processes));
  try {
    look_at(Stream::open(file.path(), Access::read));
  } catch (const Error&) {
  }
  return 0;
}
