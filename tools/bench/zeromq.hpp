#pragma once

// What a program would do by hand with the sockets of ZeroMQ that Sender and Receiver have.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <shmim/network.hpp>

#include "bench/measure.hpp"

namespace shmim::tools::bench {

/// What the two processes at the ends of a line agree upon.
struct Meeting {
  std::atomic<int> port;                    ///< 0 until it is known
  std::atomic<std::uint64_t> packed_bytes;  ///< of a frame that came compressed
};
/// Waits until it is known.
std::string endpoint_at(const Meeting& meeting);
void tell_port(Meeting& meeting, const std::string& endpoint);

/// The keys of both ends.
struct Keys {
  KeyPair sender = make_keys();
  KeyPair receiver = make_keys();
};

/// From a stream, and to one: no keywords, no times. They do not return.
[[noreturn]] void send_by_hand(const std::filesystem::path& path, Meeting& meeting,
                               const std::optional<Keys>& keys);
[[noreturn]] void receive_by_hand(const std::filesystem::path& path, const Meeting& meeting,
                                  const std::optional<Keys>& keys);

/// The same sockets with no stream at either end: messages of one size from here to another
/// process.
class BareLine {
 public:
  BareLine(const Bench& bench, std::uint64_t bytes, const std::optional<Keys>& keys);
  ~BareLine();
  BareLine(const BareLine&) = delete;
  BareLine(BareLine&&) = delete;
  BareLine& operator=(const BareLine&) = delete;
  BareLine& operator=(BareLine&&) = delete;

  /// Half of what one takes there and back, in nanoseconds.
  [[nodiscard]] double one();
  /// For each of so many, of which the next is always ready.
  [[nodiscard]] double one_of(unsigned messages);

 private:
  class Ends;
  std::unique_ptr<Ends> ends_;
};

}  // namespace shmim::tools::bench
