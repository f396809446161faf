#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shmim {

/// From this size on a copy passes the caches by. What is larger than they are is not in them when
/// it is read, and stores that go past them need not first read what they overwrite: 64 MiB took
/// 0.58 of the time of memcpy, 8 MiB within the caches 0.79 to 1, and 512 KiB 2.5 times as long.
inline constexpr std::size_t streaming_bytes = std::size_t{32} << 20;

/// Copies bytes with stores that pass the caches by. These are ordered after nothing by themselves:
/// the fence at the end puts them before whatever is released afterwards, the count of a frame say.
/// A call, so that small copies need not save the registers of large ones.
[[gnu::noinline]] inline void copy_past_caches(std::byte* to, const std::byte* from,
                                               std::size_t bytes) noexcept {
#if defined(__SSE2__)
  constexpr std::size_t line = 64;
  const std::size_t head = (line - reinterpret_cast<std::size_t>(to) % line) % line;
  if (bytes > head) {
    std::memcpy(to, from, head);
    to += head;
    from += head;
    bytes -= head;
    for (; bytes >= line; to += line, from += line, bytes -= line) {
      auto* target = reinterpret_cast<__m128i*>(to);
      const auto* source = reinterpret_cast<const __m128i*>(from);
      const __m128i first = _mm_loadu_si128(source);
      const __m128i second = _mm_loadu_si128(source + 1);
      const __m128i third = _mm_loadu_si128(source + 2);
      const __m128i fourth = _mm_loadu_si128(source + 3);
      _mm_stream_si128(target, first);
      _mm_stream_si128(target + 1, second);
      _mm_stream_si128(target + 2, third);
      _mm_stream_si128(target + 3, fourth);
    }
    _mm_sfence();
  }
#endif
  std::memcpy(to, from, bytes);
}

/// memcpy of a frame, by whichever way is faster for its size.
inline void copy_frame(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  if (bytes >= streaming_bytes) {
    copy_past_caches(to, from, bytes);
  } else {
    std::memcpy(to, from, bytes);
  }
}

/// Copies a frame to two places, in pieces that are still in the nearest cache the second time.
inline void copy_frame_twice(std::byte* to, std::byte* and_to, const std::byte* from,
                             std::size_t bytes) noexcept {
  constexpr std::size_t piece = std::size_t{32} << 10;
  const auto copy = bytes >= streaming_bytes ? copy_past_caches
                                             : [](std::byte* a, const std::byte* b,
                                                  std::size_t n) noexcept { std::memcpy(a, b, n); };
  for (std::size_t done = 0; done < bytes; done += piece) {
    const std::size_t now = bytes - done < piece ? bytes - done : piece;
    copy(to + done, from + done, now);
    copy(and_to + done, from + done, now);
  }
}

}  // namespace shmim
