#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/message.hpp"
#include "shmim/frames.hpp"
#include "shmim/network.hpp"
#include "shmim/publisher.hpp"
#include "shmim/resolve.hpp"

namespace shmim::network {

/// What a Replica says of itself.
enum class Likeness {
  received,  ///< that it is a stream of this host, which was received: from where, and when
  mirror,    ///< nothing: it is for whoever looks at the other host, and is as the stream there is
};

/// A stream of this host that is made of one of another.
class Replica {
 public:
  /// `origin` is where it is from, for people.
  Replica(std::string name, std::string origin, SearchPath search_path, bool replaces,
          Likeness likeness = Likeness::received);

  enum class Change { none, created, recreated };
  /// The stream there is like this now. Throws Error as Receiver::run() does.
  Change adopt(const Announcement& announcement);
  /// Publishes a frame, unless it is here already; gives whether it did. Throws Error: failed (the
  /// frame is not of the stream that was announced), and as Publisher::publish() does.
  bool publish(const FrameRecord& frame, std::span<const std::byte> pixels, Tai arrived,
               std::optional<std::chrono::nanoseconds> clock_ahead);
  /// The stream there is gone: a mirror is too.
  void remove() noexcept;
  /// Frames of the circular buffer that it gets at least, from the next adopt() on.
  void set_least_buffer(std::uint32_t frames) noexcept { least_buffer_ = frames; }
  /// Which of its pixels come, from the next adopt() on.
  void set_slice(Slice slice) noexcept { slice_ = std::move(slice); }
  /// Says in its keywords that no frames come any more, since now.
  void mark_down() noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return reference_.name; }
  [[nodiscard]] bool is_made() const noexcept { return publisher_.has_value(); }
  /// Of the pixels of a frame that publish() takes.
  [[nodiscard]] std::uint64_t bytes_taken() const;
  [[nodiscard]] std::uint64_t cnt0() const noexcept { return publisher_->stream().cnt0(); }
  [[nodiscard]] const Stream& stream() const noexcept { return publisher_->stream(); }

 private:
  [[nodiscard]] std::optional<Stream> find_own(const Format& format) const;
  void make();
  [[nodiscard]] std::span<const std::byte> frame_with(std::span<const std::byte> pixels);
  void put(const FrameRecord& frame, std::span<const std::byte> pixels, Tai arrived,
           std::optional<std::chrono::nanoseconds> clock_ahead);
  void say_received(const FrameRecord& frame, Tai arrived);
  void say_as_there(const FrameRecord& frame);
  [[nodiscard]] std::vector<Keyword> keywords_of(
      const FrameRecord& frame, Tai arrived,
      std::optional<std::chrono::nanoseconds> clock_ahead) const;
  void erase_others(const std::vector<Keyword>& keywords);
  Reference reference_;
  std::string origin_;
  SearchPath search_path_;
  bool replaces_;
  Likeness likeness_;
  std::uint32_t least_buffer_ = 0;
  Slice slice_;
  /// Where it is one: its pixels, if there are such ones, and the frame in which they are put.
  std::optional<Selection> part_;
  std::vector<std::byte> frame_;
  std::string host_;
  Format format_;
  std::optional<Publisher> publisher_;
  std::vector<std::string> keyword_names_;  ///< of the frame before
};

}  // namespace shmim::network
