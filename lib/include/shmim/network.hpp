#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/export.hpp"
#include "shmim/follow.hpp"
#include "shmim/reference.hpp"
#include "shmim/resolve.hpp"
#include "shmim/selection.hpp"
#include "shmim/sight.hpp"

namespace shmim {

/// A pair of keys of CURVE, in 40 characters each (Z85): who has the secret one is who the public
/// one names.
struct SHMIM_EXPORT KeyPair {
  std::string public_key;
  std::string secret_key;
};
/// A pair that nobody else has. Throws Error (failed) where ZeroMQ was built without CURVE.
[[nodiscard]] SHMIM_EXPORT KeyPair make_keys();

/// The keys of a user, and those of others that he knows, in a folder of his own: `secret` and
/// `public`; `receivers`, a line for each that may connect here (its public key, then whatever says
/// whose it is); and `senders`, a line for each that is connected to from here (its endpoint, then
/// its public key).
class SHMIM_EXPORT KeyFolder {
 public:
  explicit KeyFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// `shmim` in $XDG_CONFIG_HOME, or in ~/.config. Throws Error (no_directory) where there is no
  /// home.
  [[nodiscard]] static KeyFolder of_user();

  /// Makes a pair of keys, the secret one readable for its owner alone. Throws Error: exists (there
  /// is one already), no_permission, no_space.
  KeyPair make() const;
  /// Throws Error: not_found, failed (no key; others can read the secret one).
  [[nodiscard]] KeyPair own() const;
  /// Throws Error: not_found (no file, or no key in it), failed (a line that begins with no key).
  [[nodiscard]] std::vector<std::string> receivers() const;
  /// The public key of the sender at that endpoint; empty where the line says `insecure`. Throws
  /// Error: not_found, failed.
  [[nodiscard]] std::string sender(std::string_view endpoint) const;

 private:
  std::filesystem::path folder_;
};

/// True of `tcp://HOST:PORT` and `ipc://PATH`.
[[nodiscard]] SHMIM_EXPORT bool is_endpoint(std::string_view text) noexcept;
/// True of an endpoint that no other host reaches: `ipc://`, or `tcp://` on the loopback device.
[[nodiscard]] SHMIM_EXPORT bool is_local_endpoint(std::string_view endpoint) noexcept;

/// In how many bytes frames are sent: as they are; compressed, exactly, by one codec or another,
/// both after their bits were shuffled; or as it pays.
enum class Compression { none, lz4, zstd, automatic };
/// `none`, `lz4`, `zstd`, `auto`.
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(Compression compression) noexcept;
[[nodiscard]] SHMIM_EXPORT std::optional<Compression> parse_compression(
    std::string_view text) noexcept;

/// Something that happened to a Sender or a Receiver, for its user to know.
struct SHMIM_EXPORT NetworkEvent {
  enum class Kind {
    listening,    ///< a Sender: at `subject`
    connected,    ///< a Receiver: to `subject`
    down,         ///< a Receiver: the connection to `subject` is lost; it is tried again
    refused,      ///< a connection failed in its handshake: `text` says why
    follows,      ///< a Sender: a receiver follows `subject`
    leaves,       ///< a Sender: a receiver does not any more, or was not heard of for 5 s
    created,      ///< a Receiver: the stream `subject` was made here
    recreated,    ///< it was re-created there, and so it was here
    removed,      ///< the stream `subject` is gone there
    compression,  ///< frames of `subject` are compressed otherwise than before: `text` says how
    lost,         ///< frames of `subject` have gone: `count` of them
    bad_message,  ///< what came is not of this protocol, and was dropped
  };
  Kind kind;
  std::string subject;
  std::string text;         ///< in plain words
  std::uint64_t count = 0;  ///< of what was lost; of a frame that came compressed, its bytes
};
/// `listening`, `bad message`...
[[nodiscard]] SHMIM_EXPORT std::string_view to_string(NetworkEvent::Kind kind) noexcept;

struct SHMIM_EXPORT SenderOptions {
  /// Nobody but the owners of `receivers` can connect, and nobody else can read; nullopt: everybody
  /// can.
  std::optional<KeyPair> keys;
  std::vector<std::string> receivers;  ///< their public keys
  /// For frames of one stream that receivers of every frame have not taken yet, in bytes.
  std::uint64_t buffer = std::uint64_t{256} << 20;
  std::optional<double> rate;  ///< frames per second, at most, of each stream to each receiver
  /// Shell patterns of streams of the shm directory that receivers may look at, and follow, besides
  /// those that the Sender was made with: each is opened when one asks for it, and closed when
  /// nobody does any more. nullopt: none.
  std::optional<std::vector<std::string>> serves;
  /// Called in any of the Sender's threads, one at a time. May not call the Sender.
  std::function<void(const NetworkEvent&)> tell;
  std::function<bool()> cancelled;  ///< asked a few times a second; true ends run()
};

/// Sends frames of streams to any number of Receivers on other hosts, over ZeroMQ. A receiver has
/// as many frames as it says that it has room for, the newest there are then, or every one from a
/// buffer; so a slow one has few, disturbs no other, and never the writer of a stream. A frame is
/// copied once, whole, out of its stream, since no frame in shared memory is safe for as long as it
/// takes to send it. For receivers that want it compressed, another thread does that, once for all
/// that want it so. A stream that is removed is waited for, and one that is re-created is followed
/// on. Not thread-safe.
class SHMIM_EXPORT Sender {
 public:
  /// Opens the streams, which may be sliced. Throws Error as open_existing() does; usage (two of
  /// the same name).
  Sender(const std::vector<Reference>& streams, const SearchPath& search_path,
         SenderOptions options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender(Sender&&) = delete;
  Sender& operator=(const Sender&) = delete;
  Sender& operator=(Sender&&) = delete;

  /// Listens at `tcp://ADDRESS:PORT` (`*` for all addresses, or any free port) or `ipc://PATH`, and
  /// gives the endpoint as it is then. Before run(). Throws Error: usage (no endpoint), failed (it
  /// is taken, or not of this host).
  std::string bind(const std::string& endpoint);
  /// Listens by a socket that another program, systemd say, has made listen at that endpoint.
  /// Before run(). Takes the descriptor. Throws Error as bind() does.
  std::string adopt(int descriptor, const std::string& endpoint);
  /// Sends until `cancelled` says so. Throws the Error that ended the reading of a stream.
  void run();

 private:
  class Outlet;
  std::unique_ptr<Outlet> outlet_;
};

struct SHMIM_EXPORT LookerOptions {
  /// Who we are, and the public key of whom we connect to; nullopt: in clear.
  std::optional<KeyPair> keys;
  std::string sender;
  std::string called;  ///< the endpoint, in messages; empty: as it is
  /// What listens there may be the end of a tunnel, whose other end nobody may listen at yet: a
  /// connection that ends at once is no refusal.
  bool is_tunnel = false;
  std::function<bool()> cancelled;  ///< asked a few times a second; true ends a look
};

/// Looks at the streams of another host, by a Sender there that serves. Not thread-safe.
class SHMIM_EXPORT Looker {
 public:
  /// Throws Error: usage (no endpoint), failed.
  Looker(const std::string& endpoint, LookerOptions options);
  ~Looker();
  Looker(const Looker&) = delete;
  Looker(Looker&&) = delete;
  Looker& operator=(const Looker&) = delete;
  Looker& operator=(Looker&&) = delete;

  /// What is seen there now, for decode_sight(). Blocks until the answer comes, at most until the
  /// deadline, and asks anew on a connection that is new. Throws Error: failed (nobody answers;
  /// refused; what came is not of this protocol), and what the other end says.
  [[nodiscard]] std::string look(const SightRequest& request, Deadline deadline);

 private:
  class Eye;
  std::unique_ptr<Eye> eye_;
};

/// A stream to receive, and what it is called here.
struct WantedStream {
  std::string remote;
  std::string local;
};

struct SHMIM_EXPORT ReceiverOptions {
  /// Who we are, and the public key of whom we connect to; nullopt: in clear.
  std::optional<KeyPair> keys;
  std::string sender;
  FrameOrder order = FrameOrder::latest;
  std::optional<double> rate;  ///< frames per second, at most, of each stream
  /// `automatic`: as a frame is here soonest, by how fast the sender compresses such frames, how
  /// small they become, and how fast frames come over; chosen anew as these change.
  Compression compression = Compression::none;
  /// Streams that are here already and were not received are re-created too; else that is an Error
  /// (exists).
  bool replaces = false;
  /// The streams are for whoever looks at the other host, in a directory of their own: they are as
  /// those there, with their keywords, times and trace, and say nothing of having been received.
  bool mirrors = false;
  bool pixels = true;  ///< false: frames without them, of a mirror
  bool whole = false;  ///< where z is time, the whole array with each plane
  /// Of a mirror: the pixels that come are these, and the others of a frame here are any. Means are
  /// as Selection::averaged() has them. Where the stream has no such pixels, none come.
  Slice slice = {};
  bool awaits = false;  ///< a stream that is not there is waited for
  /// Asked of a mirror before a frame is published to it; false leaves frames at the sender.
  std::function<bool(const Stream&)> has_room;
  /// Called in run(), once a mirror has what the stream there has.
  std::function<void(const std::string& local)> complete;
  std::string called;          ///< the endpoint, in events and keywords; empty: as it is
  std::optional<mode_t> mode;  ///< of streams that are made; see CreateOptions
  std::uint64_t most_bytes = std::uint64_t{1} << 32;  ///< of a stream, whatever the sender claims
  /// Called in run().
  std::function<void(const NetworkEvent&)> tell;
  /// Called in run(), with each frame that was published here: its stream, and its cnt0.
  std::function<void(const std::string& local, std::uint64_t cnt0)> published;
  std::function<bool()> cancelled;  ///< asked a few times a second; true ends run()
};

/// Receives the frames of a Sender, and publishes them to streams of this host, which it makes in
/// the same format and is the one writer of. A frame keeps its cnt0, its keywords and when it was
/// acquired; when it was written is when that was done here. Keywords
/// tell where it came from: see received_of().
/// Connects again, within a second, whichever end was gone. Not thread-safe.
class SHMIM_EXPORT Receiver {
 public:
  /// No streams: all that the sender has. Throws Error: usage (no endpoint; two that would have the
  /// same name here).
  Receiver(const std::string& endpoint, std::vector<WantedStream> streams,
           const SearchPath& search_path, ReceiverOptions options);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver(Receiver&&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  Receiver& operator=(Receiver&&) = delete;

  /// Receives until `cancelled` says so. Blocks for as long. Throws Error: not_found (the sender
  /// has no such stream), exists (a stream of that name here, which was not received), claimed (by
  /// another writer), no_space, no_permission.
  void run();

 private:
  class Inlet;
  std::unique_ptr<Inlet> inlet_;
};

}  // namespace shmim
