#include "network/packing.hpp"

#include <string_view>

#include <blosc.h>

#include "shmim/error.hpp"

namespace shmim {

std::string_view to_string(Compression compression) noexcept {
  switch (compression) {
    case Compression::none:
      return "none";
    case Compression::lz4:
      return "lz4";
    case Compression::zstd:
      return "zstd";
    case Compression::automatic:
      return "auto";
  }
  return "";
}

std::optional<Compression> parse_compression(std::string_view text) noexcept {
  for (const Compression compression :
       {Compression::none, Compression::lz4, Compression::zstd, Compression::automatic}) {
    if (text == to_string(compression)) {
      return compression;
    }
  }
  return std::nullopt;
}

}  // namespace shmim

namespace shmim::network {
namespace {

[[noreturn]] void refuse_packed(const char* why) { throw Error(Problem::failed, "", why); }

/// Of what the bits are shuffled: of a complex number its two parts are alike.
std::size_t bytes_of_number(DataType type) {
  const bool is_complex = type == DataType::complex64 || type == DataType::complex128;
  return element_size(type) / (is_complex ? 2 : 1);
}

}  // namespace

bool can_pack(std::uint64_t bytes) noexcept {
  // What fits into three packets of a network arrives no sooner for being smaller.
  constexpr std::uint64_t fewest = 4096;
  return bytes >= fewest && bytes <= BLOSC_MAX_BUFFERSIZE;
}

std::vector<std::byte> pack(Compression codec, DataType type, std::span<const std::byte> pixels) {
  // Of noise higher levels make hardly anything smaller, and take several times as long.
  constexpr int level_of_lz4 = 5;
  constexpr int level_of_zstd = 1;
  constexpr std::size_t sixteenths = 16;
  std::vector<std::byte> packed(pixels.size() - pixels.size() / sixteenths);
  const int bytes = blosc_compress_ctx(
      codec == Compression::lz4 ? level_of_lz4 : level_of_zstd, BLOSC_BITSHUFFLE,
      bytes_of_number(type), pixels.size(), pixels.data(), packed.data(), packed.size(),
      codec == Compression::lz4 ? BLOSC_LZ4_COMPNAME : BLOSC_ZSTD_COMPNAME, 0, 1);
  packed.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return packed;
}

void unpack(std::span<const std::byte> packed, std::span<std::byte> room) {
  std::size_t bytes = 0;
  if (blosc_cbuffer_validate(packed.data(), packed.size(), &bytes) != 0) {
    refuse_packed("compressed pixels that are damaged");
  }
  if (bytes != room.size()) {
    refuse_packed("compressed pixels of another size than their frame");
  }
  // Nothing that comes is to choose among all that Blosc can read.
  const char* const codec = blosc_cbuffer_complib(packed.data());
  if (codec == nullptr ||
      (codec != std::string_view(BLOSC_LZ4_LIBNAME) &&
       codec != std::string_view(BLOSC_ZSTD_LIBNAME)) ||
      blosc_decompress_ctx(packed.data(), room.data(), room.size(), 1) !=
          static_cast<int>(room.size())) {
    refuse_packed("compressed pixels that are damaged");
  }
}

}  // namespace shmim::network
