#pragma once

#include <filesystem>
#include <string>

#include <shmim/shmim.hpp>

namespace shmim::tools::bench {

/// A directory of our own under the shm directory, removed with all that is in it on destruction.
class Scratch {
 public:
  /// Throws Error: no_permission, no_space.
  explicit Scratch(const std::filesystem::path& shm);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch(Scratch&&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch& operator=(Scratch&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// A stream of frames of so many bytes there, whose pages the kernel has given already.
  [[nodiscard]] Stream stream(const std::string& name, std::uint64_t frame_bytes,
                              std::uint32_t circular_buffer = 0) const;
  [[nodiscard]] Stream stream(const std::string& name, const Format& format) const;
  void remove(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

/// Removes a stream of the scratch directory at the end of a case, so that the next has the memory.
class Temporary {
 public:
  Temporary(const Scratch& scratch, const std::string& name, std::uint64_t frame_bytes,
            std::uint32_t circular_buffer = 0);
  Temporary(const Scratch& scratch, const std::string& name, const Format& format);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary(Temporary&&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Temporary& operator=(Temporary&&) = delete;
  [[nodiscard]] const Stream& stream() const noexcept { return stream_; }
  [[nodiscard]] Stream& stream() noexcept { return stream_; }

 private:
  const Scratch& scratch_;
  Stream stream_;
};

/// The format of a stream whose frames have so many bytes.
Format format_of(std::uint64_t frame_bytes, std::uint32_t circular_buffer = 0);

}  // namespace shmim::tools::bench
