#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "network/message.hpp"
#include "network/packet.hpp"
#include "network/pool.hpp"
#include "shmim/description.hpp"
#include "shmim/follow.hpp"
#include "shmim/reference.hpp"
#include "shmim/resolve.hpp"
#include "shmim/selection.hpp"

namespace shmim::network {

/// The frames of one stream as they are to be sent. For one thread.
class Source {
 public:
  /// Opens the stream. Where z is time, planes are taken, or the array where the parts say so. The
  /// slice of a reference is a stream of its own; of that of the parts there are only the pixels.
  /// One that spares semaphores claims none where half of them are: others are to find some,
  /// however many look at however many parts of a stream. Throws Error as open_existing() does.
  Source(Reference reference, const SearchPath& search_path, std::function<bool()> cancelled,
         FrameParts parts = {}, bool spares_semaphores = false);

  [[nodiscard]] const std::string& name() const noexcept { return reference_.name; }
  [[nodiscard]] const FrameParts& parts() const noexcept { return parts_; }
  /// What a receiver makes: of the stream, or of the slice in the reference.
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
  [[nodiscard]] Arrival take_frame(FrameOrder order, Deadline deadline, zmq::message_t& pixels,
                                   TakenFrame& frame);
  Reference reference_;
  const SearchPath& search_path_;
  std::function<bool()> cancelled_;
  FrameParts parts_;
  bool spares_semaphores_;
  std::optional<Follower> follower_;
  std::optional<Selection> made_;   ///< of its frames: those of what a receiver makes
  std::optional<Selection> taken_;  ///< of its frames: the pixels that are sent; nullopt: none
  std::shared_ptr<const Format> format_;
  std::optional<Pool> pool_;
  ino_t inode_ = 0;
  StampClock clock_ = StampClock::unknown;  ///< of its stamps; to tell it takes a system call
  std::uint64_t number_ = 0;                ///< of the packet before
  std::string boot_;
};

}  // namespace shmim::network
