#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "network/pool.hpp"
#include "shmim/description.hpp"
#include "shmim/follow.hpp"
#include "shmim/reference.hpp"
#include "shmim/resolve.hpp"
#include "shmim/selection.hpp"

namespace shmim::network {

/// A frame that is ready to be sent, to any number of receivers.
struct Packet {
  std::uint64_t number = 0;  ///< among those that were taken, from 1 on
  std::uint64_t cnt0 = 0;
  std::shared_ptr<const Format> format;  ///< of the stream that it is of
  DataType type = DataType::uint8;
  // What ZeroMQ copies it may alter: whether others have it too.
  mutable zmq::message_t head;
  mutable zmq::message_t pixels;
  /// The pixels by lz4 and zstd, once that was done; of no bytes where it makes them no fewer.
  mutable std::array<std::optional<zmq::message_t>, 2> packed;
};

/// The frames of one stream as they are to be sent. For one thread.
class Source {
 public:
  /// Opens the stream. Where z is time, planes are taken, or with `whole` the array. Throws Error
  /// as open_existing() does.
  Source(Reference reference, const SearchPath& search_path, std::function<bool()> cancelled,
         bool whole = false);

  [[nodiscard]] const std::string& name() const noexcept { return reference_.name; }
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  /// What a receiver makes: of the stream, or of the slice of it.
  [[nodiscard]] const std::shared_ptr<const Format>& format() const noexcept { return format_; }
  [[nodiscard]] const Stream& stream() const noexcept { return follower_->stream(); }
  /// The frame that is there is the next to be taken.
  void restart() noexcept;

  /// Waits for a frame, and takes it. Blocks as Follower::next() does.
  [[nodiscard]] Arrival take(FrameOrder order, Deadline deadline, Packet& packet);
  /// After recreated or removed: whether the stream is there again. Looks once. Throws Error where
  /// it cannot be read, or is not what the reference says.
  [[nodiscard]] bool reopen();

 private:
  void open(const Stream& stream);
  Reference reference_;
  const SearchPath& search_path_;
  std::function<bool()> cancelled_;
  bool is_whole_;
  std::optional<Follower> follower_;
  std::optional<Selection> selection_;
  std::shared_ptr<const Format> format_;
  std::optional<Pool> pool_;
  ino_t inode_ = 0;
  StampClock clock_ = StampClock::unknown;  ///< of its stamps; to tell it takes a system call
  std::uint64_t taken_ = 0;
  std::string boot_;
};

}  // namespace shmim::network
