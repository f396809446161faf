#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shmim/export.hpp"

namespace shmim {

/// The kinds of item that CBOR (RFC 8949) has, by the upper three bits of the first byte.
enum class CborMajor : std::uint8_t { natural, negative, bytes, text, array, map, tag, simple };

/// What an item begins with: its kind, and its value, length or number of items.
struct CborHead {
  CborMajor major = CborMajor::simple;
  std::uint64_t value = 0;
  unsigned size = 0;  ///< bytes behind the first that the value took
};

/// Reads items of CBOR as they come. What has no length ahead is not read. Throws Error (failed).
class SHMIM_EXPORT CborReader {
 public:
  CborReader(std::string source, std::function<std::size_t(std::span<std::byte>)> read)
      : source_(std::move(source)), read_(std::move(read)) {}

  /// Blocks until something comes; false at the end.
  [[nodiscard]] bool wait();
  [[nodiscard]] CborHead head();
  /// The bytes of an item that began with `head`, without those of the head.
  [[nodiscard]] std::string text(const CborHead& head);
  /// One item, with what is in it; tags are passed over.
  [[nodiscard]] nlohmann::json value();
  void read(std::span<std::byte> bytes);
  void skip(std::uint64_t bytes);
  /// What is said from now on may take so much memory again.
  void forget() noexcept { kept_ = 0; }

  [[noreturn]] void fail(const std::string& why) const;

 private:
  [[nodiscard]] nlohmann::json value(unsigned depth);
  [[nodiscard]] nlohmann::json simple(const CborHead& head) const;
  void require_room(std::uint64_t bytes) const;
  void count(std::uint64_t bytes);
  void take(std::span<std::byte> bytes);
  void copy_bytes(std::uint64_t bytes, std::string& copy);
  [[nodiscard]] std::span<const std::byte> ahead() const noexcept {
    return std::span(ahead_).subspan(begin_, end_ - begin_);
  }
  std::string source_;
  std::function<std::size_t(std::span<std::byte>)> read_;
  std::vector<std::byte> ahead_ = std::vector<std::byte>(4096);
  std::size_t begin_ = 0;  ///< in ahead_, of what has come and was not taken
  std::size_t end_ = 0;
  std::uint64_t kept_ = 0;  ///< bytes that the caller keeps
};

/// The head of an item, as it is written in the fewest bytes.
void append_head(std::string& bytes, CborMajor major, std::uint64_t value);
/// A text; what is not UTF-8 as a string of bytes.
void append_text(std::string& bytes, std::string_view text);
void append_real(std::string& bytes, double number);

}  // namespace shmim
