// Whatever the bytes of a file say, the C interface reads and writes it without a crash or an
// access outside of it.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <shmim/file.hpp>
#include <shmim/shmim.h>
#include <unistd.h>

#include "stream_bytes.hpp"

namespace {

constexpr std::int64_t soon = 200'000;

/// A directory with one stream in it, written anew for each input.
class Directory {
 public:
  Directory() : path_(std::filesystem::temp_directory_path() / "shmim-fuzz-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      std::abort();
    }
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  void write(std::span<const std::uint8_t> bytes, std::size_t size) const {
    const std::string file = path_ + "/x.im.shm";
    static_cast<void>(::unlink(file.c_str()));
    const shmim::FileDescriptor descriptor(
        ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    if (::write(descriptor.get(), bytes.data(), bytes.size()) < 0 ||
        ::ftruncate(descriptor.get(), static_cast<off_t>(size)) != 0) {
      std::abort();
    }
  }
  [[nodiscard]] const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

void read(shmim_stream* stream, std::vector<std::byte>& pixels) {
  shmim_error error;
  shmim_frame frame;
  std::size_t count = 0;
  std::vector<shmim_keyword> keywords(20);
  std::vector<shmim_step> steps(20);
  shmim_newest(stream, &frame);
  shmim_keywords(stream, keywords.data(), keywords.size(), &count, &error);
  shmim_get_keyword(stream, keywords[0].name, &keywords[1], &error);
  if (shmim_snapshot(stream, pixels.data(), pixels.size(), soon, &frame, &error) == SHMIM_OK) {
    shmim_trace(stream, steps.data(), steps.size(), &count, &error);
  }
  shmim_follower* follower = nullptr;
  if (shmim_follow(stream, nullptr, &follower, &error) == SHMIM_OK) {
    shmim_next(follower, pixels.data(), pixels.size(), soon, &frame, &error);
    shmim_unfollow(follower);
  }
}

void write(shmim_stream* stream, const std::vector<std::byte>& pixels) {
  shmim_error error;
  void* array = nullptr;
  if (shmim_begin(stream, soon, &array, &error) != SHMIM_OK) {
    return;  // where another seems to write, each of the below would wait for a second
  }
  shmim_commit(stream, 0, nullptr, nullptr, &error);
  shmim_trigger* trigger = nullptr;
  if (shmim_trigger_now(stream, &trigger, &error) == SHMIM_OK) {
    shmim_write(stream, pixels.data(), shmim_frame_bytes(stream), 0, trigger, 1, nullptr, &error);
    shmim_free_trigger(trigger);
  }
  const shmim_keyword keyword{"A", 'L', "", "", 1, 0};
  shmim_set_keywords(stream, &keyword, 1, &error);
  shmim_erase_keyword(stream, "A", &error);
  shmim_post(stream, -1, &error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Directory directory;
  const std::vector<std::uint8_t> bytes = shmim::fuzz::mostly_at_rest({data, size});
  directory.write(bytes, shmim::fuzz::size_for(bytes));
  shmim_stream* stream = nullptr;
  shmim_error error;
  if (shmim_open("x", directory.path(), &stream, &error) == SHMIM_OK) {
    // In the memory of a GPU there may be more than in this machine.
    std::vector<std::byte> pixels(shmim_array(stream) == nullptr ? 0 : shmim_bytes(stream));
    read(stream, pixels);
    write(stream, pixels);
    read(stream, pixels);
    shmim_close(stream);
  }
  return 0;
}
