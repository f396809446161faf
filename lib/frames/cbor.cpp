#include "frames/cbor.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <nlohmann/json.hpp>

#include "shmim/error.hpp"
#include "shmim/float16.hpp"
#include "shmim/text.hpp"

namespace shmim {
namespace {

constexpr std::uint64_t most_kept = 16 << 20;

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

void CborReader::require_room(std::uint64_t bytes) const {
  if (bytes > most_kept - kept_) {
    fail("says more of a frame than 16 MiB hold");
  }
}

void CborReader::count(std::uint64_t bytes) {
  require_room(bytes);
  kept_ += bytes;
}

void CborReader::take(std::span<std::byte> bytes) {
  count(bytes.size());
  read(bytes);
}

void CborReader::copy_bytes(std::uint64_t bytes, std::string& copy) {
  count(bytes);
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

CborHead CborReader::head() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  take(std::span(bytes).first(1));
  const auto first = std::to_integer<unsigned>(bytes[0]);
  const auto major = static_cast<CborMajor>(first >> 5);
  const unsigned low = first & 0x1F;
  if (low <= last_small) {
    return {major, low};
  }
  if (low > eight_bytes) {
    fail("is not CBOR that says its lengths ahead");
  }
  const unsigned size = 1U << (low - one_byte);
  take(std::span(bytes).first(size));
  std::uint64_t value = 0;
  for (const std::byte byte : std::span(bytes).first(size)) {
    value = value << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return {major, value, size};
}

std::string CborReader::text(const CborHead& head) {
  std::string text;
  copy_bytes(head.value, text);
  return text;
}

nlohmann::json CborReader::value() {
  constexpr unsigned deepest = 16;
  return value(deepest);
}

// NOLINTNEXTLINE(misc-no-recursion): it ends with the depth.
nlohmann::json CborReader::value(unsigned depth) {
  using Json = nlohmann::json;
  if (depth == 0) {
    fail("is nested too deeply");
  }
  const CborHead begun = head();
  switch (begun.major) {
    case CborMajor::natural:
      return begun.value;
    case CborMajor::negative:
      return static_cast<std::int64_t>(~begun.value);
    case CborMajor::bytes: {
      const std::string bytes = text(begun);
      return Json::binary({bytes.begin(), bytes.end()});
    }
    case CborMajor::text:
      return text(begun);
    case CborMajor::array: {
      require_room(begun.value);
      Json list = Json::array();
      for (std::uint64_t i = 0; i < begun.value; ++i) {
        list.push_back(value(depth - 1));
      }
      return list;
    }
    case CborMajor::map: {
      require_room(begun.value);
      Json map = Json::object();
      for (std::uint64_t i = 0; i < begun.value; ++i) {
        const CborHead key = head();
        if (key.major != CborMajor::text) {
          fail("has a key that is not text");
        }
        const std::string name = text(key);
        map[name] = value(depth - 1);
      }
      return map;
    }
    case CborMajor::tag:
      return value(depth - 1);
    case CborMajor::simple:
      return simple(begun);
  }
  return nullptr;
}

nlohmann::json CborReader::simple(const CborHead& head) const {
  constexpr std::uint64_t no = 20;
  constexpr std::uint64_t yes = 21;
  constexpr std::uint64_t null = 22;
  switch (head.size) {
    case sizeof(std::uint16_t):
      return static_cast<double>(float16_to_float(static_cast<std::uint16_t>(head.value)));
    case sizeof(float):
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.value)));
    case sizeof(double):
      return std::bit_cast<double>(head.value);
    default:
      break;
  }
  if (head.size == 0 && (head.value == no || head.value == yes)) {
    return head.value == yes;
  }
  if (head.size != 0 || head.value != null) {
    fail("is not CBOR as RFC 8949 has it");
  }
  return nullptr;
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
