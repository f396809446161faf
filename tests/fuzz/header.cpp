// Whatever the bytes of a file say, looking at it neither crashes nor hangs nor reads outside of
// it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <shmim/shmim.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace shmim;

constexpr std::uint64_t largest_file = 1 << 20;

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

/// Where the parts of a stream are, by the header that `bytes` begin with; none if it is nonsense.
std::optional<layout::Regions> regions_in(std::span<const std::uint8_t> bytes) {
  layout::Metadata header{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), sizeof(header))),
                    reinterpret_cast<std::uint8_t*>(&header));
  return layout::lay_out(layout::geometry_in(header));
}

/// The size that the header asks for, so that more than one input in a million gets past that
/// check; its own where that is none.
std::size_t size_for(std::span<const std::uint8_t> bytes) {
  const auto regions = regions_in(bytes);
  return regions && regions->total <= largest_file ? regions->total : bytes.size();
}

/// The input with its keyword slots at rest, but for one input in 16: what is busy is waited for,
/// longer than a hundred other inputs take.
std::vector<std::uint8_t> mostly_at_rest(std::span<const std::uint8_t> input) {
  std::vector<std::uint8_t> bytes(input.begin(), input.end());
  const auto regions = regions_in(bytes);
  if (!regions || bytes.size() % 16 == 0) {
    return bytes;
  }
  constexpr std::size_t top = offsetof(layout::KeywordSlot, cnt) + sizeof(std::uint64_t) - 1;
  for (std::size_t at = regions->keywords + top; at < std::min(bytes.size(), regions->semaphores);
       at += sizeof(layout::KeywordSlot)) {
    bytes[at] &= 0x7fU;
  }
  return bytes;
}

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
  const std::vector<std::uint8_t> bytes = mostly_at_rest({data, size});
  static const File file;
  file.write(bytes, std::max<std::size_t>(size_for(bytes), size == 0 ? 0 : 1));
  ProcessTable processes;
  static_cast<void>(describe(file.path(), processes));
  try {
    look_at(Stream::open(file.path(), Access::read));
  } catch (const Error&) {
  }
  return 0;
}
