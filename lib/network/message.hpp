#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/error.hpp"
#include "shmim/follow.hpp"
#include "shmim/format.hpp"
#include "shmim/network.hpp"
#include "shmim/selection.hpp"
#include "shmim/sight.hpp"

// What senders and receivers say to one another: shmim-network(5). Each message is a map in CBOR;
// behind that of a frame come its head, as `frames` has it, and its pixels, in parts of their own;
// and behind that of what was seen, the Sight.

namespace shmim::network {

/// What a receiver wants of the frames of a stream.
struct FrameParts {
  bool pixels = true;  ///< false: the heads of frames will do
  /// Where z is time the whole array is wanted with each plane, as a frame of a stream in which it
  /// is not.
  bool whole = false;
  Slice slice;  ///< the pixels that are wanted; none, where the stream has no such ones
  friend bool operator==(const FrameParts&, const FrameParts&) = default;
};

/// Of a frame of that format, or of a plane of it where z is time, the pixels of the slice; nullopt
/// where it has no such ones.
[[nodiscard]] std::optional<Selection> selection_in(const Format& format, const Slice& slice,
                                                    bool is_of_plane);

/// From a receiver: what it wants of one stream, how far it has got, and how far the sender may go.
/// It is said whole each time, so that nothing depends on what was lost with a connection.
struct Follow {
  std::uint64_t id = 0;  ///< which of the receiver's
  std::string name;
  FrameOrder order = FrameOrder::latest;
  std::optional<double> rate;
  Compression compression = Compression::none;
  std::uint64_t session = 0;  ///< as the sender calls it; 0: it has not said yet
  std::uint64_t window = 0;   ///< frames that may be on their way at a time
  std::uint64_t taken = 0;    ///< number of the last that has come in that session
  /// Of an answer, the shortest of late.
  std::chrono::nanoseconds delay{0};
  Tai asked = never;  ///< when this was said, where an answer is wanted
  FrameParts parts;
};
/// From a receiver: which streams are there?
struct List {};
/// From a receiver: what is to be seen of them?
struct Look {
  std::uint64_t id = 0;  ///< which of the receiver's
  SightRequest request;
};

/// From a sender: the stream that frames are of from now on.
struct Announcement {
  std::uint64_t id = 0;
  std::uint64_t session = 0;
  std::string host;
  Format format;
  std::uint64_t cnt0 = 0;
};
/// From a sender: the stream is gone, for now.
struct Gone {
  std::uint64_t id = 0;
};
/// From a sender, before a frame's head and its pixels.
struct FrameFollows {
  std::uint64_t id = 0;
  std::uint64_t session = 0;
  std::uint64_t number = 0;                ///< in the session, from 1 on
  Compression packed = Compression::none;  ///< how its pixels are: none, lz4 or zstd
};
/// From a sender: the answer to a Follow that asked.
struct Alive {
  Tai asked = never;
  Tai here = never;
};
/// From a sender: what it has. The answer to List, and to a Follow of what it has not.
struct Streams {
  std::vector<std::string> names;
  std::string unknown;  ///< that was wanted
};
/// From a sender, before a Sight: the answer to Look.
struct Seen {
  std::uint64_t id = 0;
};
/// From a sender: why there is no answer to a Look, or no frame for a Follow.
struct Failure {
  std::uint64_t id = 0;
  Problem problem = Problem::failed;
  std::string why;
};

using FromReceiver = std::variant<Follow, List, Look>;
using FromSender = std::variant<Announcement, Gone, FrameFollows, Alive, Streams, Seen, Failure>;

[[nodiscard]] std::string encode(const FromReceiver& message);
[[nodiscard]] std::string encode(const FromSender& message);
/// Throws Error (failed) for what is not of the protocol.
[[nodiscard]] FromReceiver decode_from_receiver(std::span<const std::byte> bytes);
[[nodiscard]] FromSender decode_from_sender(std::span<const std::byte> bytes);

}  // namespace shmim::network
