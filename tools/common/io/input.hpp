#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <shmim/shmim.hpp>

namespace shmim::tools {

/// What frames are read from: a file, or standard input for `-`. It can be looked at ahead; what
/// was and is not taken is left to whoever reads it next, where it can be. Blocks as long as
/// nothing comes, and throws Interrupted, Error (failed).
class Input {
 public:
  explicit Input(const std::string& file);
  Input(const Input&) = delete;
  Input(Input&&) = delete;
  Input& operator=(const Input&) = delete;
  Input& operator=(Input&&) = delete;
  ~Input();

  /// For messages.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  /// Bytes from where it began to the end, of a regular file.
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return size_; }
  /// Where in the file it began.
  [[nodiscard]] std::int64_t begin() const noexcept { return begin_; }

  /// What has been read ahead. Invalid after the next call.
  [[nodiscard]] std::span<const std::byte> ahead() const noexcept;
  [[nodiscard]] std::string_view text_ahead() const noexcept;
  /// Reads ahead what comes, `most` bytes at most; false at the end.
  bool read_ahead(std::size_t most);
  /// Reads ahead until `size` bytes are there, or the input ends. Gives ahead().
  std::span<const std::byte> peek(std::size_t size);
  /// Takes of what has been read ahead.
  void skip(std::size_t size);

  /// Blocks until there is something to take, or the end.
  void wait() const;
  /// Takes until `bytes` is full or the input ends; gives how much there was.
  std::size_t read(std::span<std::byte> bytes);
  /// Takes what there is, as much as fits at most; 0 at the end.
  std::size_t read_some(std::span<std::byte> bytes);
  /// Goes back to where it began; false where that cannot be done.
  bool rewind();

 private:
  std::string name_;
  FileDescriptor file_;
  std::int64_t begin_;
  std::optional<std::uint64_t> size_;
  std::vector<std::byte> ahead_;
  std::size_t taken_ = 0;  ///< of ahead_
};

}  // namespace shmim::tools
