#include "frames/cbor.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "shmim/error.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

constexpr std::uint64_t most_kept = 16 << 20;
constexpr std::size_t deepest = 16;

/// What the lower five bits of the first byte say: the value itself up to here,
constexpr unsigned last_small = 23;
/// or by how many bytes it is followed: 1, 2, 4 or 8.
constexpr unsigned one_byte = 24;
constexpr unsigned eight_bytes = 27;

void append_big_endian(std::string& bytes, std::uint64_t value, unsigned size) {
  std::array<char, sizeof value> text{};
  for (unsigned i = 0; i < size; ++i) {
    text[i] = static_cast<char>(value >> (8 * (size - 1 - i)));
  }
  bytes.append(text.data(), size);
}

}  // namespace

void CborReader::fail(const std::string& why) const { throw Error(Problem::failed, source_, why); }

bool CborReader::wait() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = read_(ahead_);
  }
  return begin_ != end_;
}

void CborReader::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t taken = 0;
    if (begin_ == end_ && bytes.size() >= ahead_.size()) {
      taken = read_(bytes);
    } else if (wait()) {
      taken = std::min(bytes.size(), end_ - begin_);
      std::copy_n(ahead().begin(), taken, bytes.begin());
      begin_ += taken;
    }
    if (taken == 0) {
      fail("ends in the middle of a frame");
    }
    bytes = bytes.subspan(taken);
  }
}

void CborReader::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    if (!wait()) {
      fail("ends in the middle of a frame");
    }
    const std::uint64_t passed = std::min<std::uint64_t>(bytes, end_ - begin_);
    begin_ += passed;
    bytes -= passed;
  }
}

void CborReader::copy_bytes(std::uint64_t bytes, std::string& copy) {
  if (bytes > most_kept - kept_) {
    fail("says more of a frame than 16 MiB hold");
  }
  kept_ += bytes;
  // As it comes, and not as much as it claims.
  constexpr std::uint64_t step = 64 << 10;
  while (bytes > 0) {
    const std::size_t part = std::min(bytes, step);
    const std::size_t size = copy.size();
    copy.resize(size + part);
    read(std::as_writable_bytes(std::span(copy).subspan(size)));
    bytes -= part;
  }
}

CborHead CborReader::head(std::string& copy) {
  copy_bytes(1, copy);
  const auto first = static_cast<unsigned char>(copy.back());
  const auto major = static_cast<CborMajor>(first >> 5);
  const unsigned low = first & 0x1F;
  if (low <= last_small) {
    return {major, low};
  }
  if (low > eight_bytes) {
    fail("is not CBOR that says its lengths ahead");
  }
  const std::size_t begin = copy.size();
  copy_bytes(1U << (low - one_byte), copy);
  std::uint64_t value = 0;
  for (const char byte : copy.substr(begin)) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return {major, value};
}

CborHead CborReader::head() {
  std::string bytes;
  return head(bytes);
}

std::string CborReader::text(const CborHead& head) {
  std::string text;
  copy_bytes(head.value, text);
  return text;
}

std::string CborReader::item() {
  std::string bytes;
  std::vector<std::uint64_t> to_come{1};  // of what is open, the innermost last
  while (!to_come.empty()) {
    if (to_come.back()-- == 0) {
      to_come.pop_back();
      continue;
    }
    const CborHead begun = head(bytes);
    switch (begun.major) {
      case CborMajor::natural:
      case CborMajor::negative:
      case CborMajor::simple:
        break;
      case CborMajor::bytes:
      case CborMajor::text:
        copy_bytes(begun.value, bytes);
        break;
      case CborMajor::array:
        to_come.push_back(begun.value);
        break;
      case CborMajor::map:
        if (begun.value > most_kept) {
          fail("says more of a frame than 16 MiB hold");
        }
        to_come.push_back(2 * begun.value);
        break;
      case CborMajor::tag:
        to_come.push_back(1);
        break;
    }
    if (to_come.size() > deepest) {
      fail("is nested too deeply");
    }
  }
  return bytes;
}

void append_head(std::string& bytes, CborMajor major, std::uint64_t value) {
  const auto first = static_cast<unsigned>(major) << 5;
  if (value <= last_small) {
    bytes += static_cast<char>(first | value);
    return;
  }
  const unsigned size = value <= UINT8_MAX    ? 0
                        : value <= UINT16_MAX ? 1
                        : value <= UINT32_MAX ? 2
                                              : 3;
  bytes += static_cast<char>(first | (one_byte + size));
  append_big_endian(bytes, value, 1U << size);
}

void append_text(std::string& bytes, std::string_view text) {
  append_head(bytes, is_utf8(text) ? CborMajor::text : CborMajor::bytes, text.size());
  bytes += text;
}

void append_real(std::string& bytes, double number) {
  bytes += static_cast<char>(static_cast<unsigned>(CborMajor::simple) << 5 | eight_bytes);
  append_big_endian(bytes, std::bit_cast<std::uint64_t>(number), sizeof number);
}

}  // namespace shmim
