#pragma once

// Streams as a program that computes with them meets them: opened by name, with elements of a type
// instead of bytes. All of it stands on the headers of its own parts, and costs a check when a
// stream is opened and one of a size with each frame.

#include <algorithm>
#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "shmim/clock.hpp"
#include "shmim/description.hpp"
#include "shmim/directory.hpp"
#include "shmim/element.hpp"
#include "shmim/export.hpp"
#include "shmim/follow.hpp"
#include "shmim/format.hpp"
#include "shmim/layout.hpp"
#include "shmim/publisher.hpp"
#include "shmim/resolve.hpp"
#include "shmim/stream.hpp"

namespace shmim {

/// The data type whose elements are a `T`; nullopt for a type that no stream has.
template <class T>
[[nodiscard]] constexpr std::optional<DataType> data_type_of() noexcept {
  if constexpr (std::is_same_v<T, std::complex<float>>) {
    return DataType::complex64;
  } else if constexpr (std::is_same_v<T, std::complex<double>>) {
    return DataType::complex128;
  } else if constexpr (std::is_same_v<T, Float16>) {
    return DataType::float16;
  } else if constexpr (std::is_same_v<T, float>) {
    return DataType::float32;
  } else if constexpr (std::is_same_v<T, double>) {
    return DataType::float64;
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    constexpr bool is_signed = std::is_signed_v<T>;
    switch (sizeof(T)) {
      case 1:
        return is_signed ? DataType::int8 : DataType::uint8;
      case 2:
        return is_signed ? DataType::int16 : DataType::uint16;
      case 4:
        return is_signed ? DataType::int32 : DataType::uint32;
      default:
        return is_signed ? DataType::int64 : DataType::uint64;
    }
  } else {
    return std::nullopt;
  }
}

/// A type that a stream's elements can have.
template <class T>
concept Element = data_type_of<T>()
.has_value();

/// Where references are looked up unless you say otherwise: the default shm directory, and `conf`
/// in the working directory. Throws Error (no_directory).
[[nodiscard]] SHMIM_EXPORT SearchPath default_search_path();

/// Opens the stream that a reference names, as `cam` or `tui16>cam`, which must be in shared or
/// local memory. Throws Error: usage (the reference, or it has a slice), not_found, mismatch (its
/// type), and what Stream::open() throws.
[[nodiscard]] SHMIM_EXPORT Stream open(std::string_view reference, Access access = Access::best);
[[nodiscard]] SHMIM_EXPORT Stream open(std::string_view reference, const SearchPath& search_path,
                                       Access access = Access::best);

/// The readable streams of a directory whose names match a pattern, as `cam*` or `tui16>cam*`,
/// sorted, each as it is now. Throws Error: usage, no_directory, no_permission.
[[nodiscard]] SHMIM_EXPORT std::vector<Description> streams(std::string_view pattern = "*");
[[nodiscard]] SHMIM_EXPORT std::vector<Description> streams(std::string_view pattern,
                                                            const std::filesystem::path& directory);

namespace detail {
/// Throws Error (mismatch) unless the stream's elements are of that type.
SHMIM_EXPORT void require_type(const Stream& stream, DataType type);
[[noreturn]] SHMIM_EXPORT void throw_outside(const Shape& shape, std::uint64_t x, std::uint64_t y,
                                             std::uint64_t z);
/// Throws Error (usage) unless a frame has that many elements: none would be an update of what is
/// there.
SHMIM_EXPORT void require_count(const Publisher& publisher, std::size_t elements);
/// An existing stream of that type and shape, or a new one. Throws Error (mismatch).
[[nodiscard]] SHMIM_EXPORT Stream open_or_create(std::string_view reference, const Format& format,
                                                 const SearchPath& search_path);
}  // namespace detail

/// A frame in memory of its own: pixels that nobody alters, with the counters and times that they
/// were published with. Axis 0, x, varies fastest.
template <Element T>
class Frame {
 public:
  explicit Frame(const Shape& shape)
      : shape_(shape), pixels_(static_cast<std::size_t>(shape.elements())) {}

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::span<const T> pixels() const noexcept { return pixels_; }
  [[nodiscard]] std::span<T> pixels() noexcept { return pixels_; }
  [[nodiscard]] std::size_t size() const noexcept { return pixels_.size(); }
  [[nodiscard]] auto begin() const noexcept { return pixels_.begin(); }
  [[nodiscard]] auto end() const noexcept { return pixels_.end(); }
  /// The element there. Throws Error (usage) if it is outside the frame; loops over all of a frame
  /// are faster over pixels().
  [[nodiscard]] const T& operator()(std::uint64_t x, std::uint64_t y = 0,
                                    std::uint64_t z = 0) const {
    const std::uint64_t width = shape_[0];
    const std::uint64_t height = shape_.axes() > 1 ? shape_[1] : 1;
    const std::uint64_t depth = shape_.axes() > 2 ? shape_[2] : 1;
    if (x >= width || y >= height || z >= depth) {
      detail::throw_outside(shape_, x, y, z);
    }
    return pixels_[static_cast<std::size_t>((z * height + y) * width + x)];
  }

  [[nodiscard]] std::uint64_t cnt0() const noexcept { return taken_.info.cnt0; }
  /// Slice written last, of a circular stream.
  [[nodiscard]] std::uint64_t cnt1() const noexcept { return taken_.info.cnt1; }
  [[nodiscard]] Tai acquired() const noexcept { return taken_.info.atime; }
  [[nodiscard]] Tai written() const noexcept { return taken_.info.writetime; }
  /// Frames published before this one, since the one taken before, that could not be taken.
  [[nodiscard]] std::uint64_t missed() const noexcept { return taken_.missed; }
  /// What a process that this frame triggered should put in its trace, however late.
  [[nodiscard]] Trigger trigger() const { return taken_.trigger(); }
  [[nodiscard]] const TakenFrame& taken() const noexcept { return taken_; }

 private:
  template <Element>
  friend class Frames;
  template <Element>
  friend class Image;
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return std::as_writable_bytes(pixels()); }
  Shape shape_;
  std::vector<T> pixels_;
  TakenFrame taken_;
};

/// A stream whose elements are known to be a `T`. Like the Stream in it, a handle.
template <Element T>
class Image {
 public:
  /// Throws Error (mismatch) if its elements are of another type.
  explicit Image(Stream stream) : stream_(std::move(stream)) {
    detail::require_type(stream_, *data_type_of<T>());
  }
  /// Opens it by reference; see open().
  explicit Image(std::string_view reference) : Image(shmim::open(reference)) {}

  [[nodiscard]] const Stream& stream() const noexcept { return stream_; }
  [[nodiscard]] const Shape& shape() const noexcept { return stream_.format().shape; }
  [[nodiscard]] Keywords keywords() const noexcept { return stream_.keywords(); }
  /// The newest frame, whole: a plane, where z is time. Blocks for as long as a writer is in
  /// mid-frame, at most one second. Throws Error: busy, unfinished (naming the writer), on_gpu,
  /// wrong_size.
  [[nodiscard]] Frame<T> read() const {
    Frame<T> frame(stream_.format().frame_shape());
    const Snapshot snapshot = stream_.snapshot_newest(frame.bytes());
    stream_.require_whole(snapshot);
    frame.taken_.info = snapshot.info;
    frame.taken_.inode = stream_.identity().inode;
    frame.taken_.taken = TaiClock::now();
    return frame;
  }

 private:
  Stream stream_;
};

struct FramesOptions {
  /// How long to wait for each frame; nullopt: as long as it takes.
  std::optional<std::chrono::nanoseconds> timeout;
  FrameOrder pick = FrameOrder::every;
  FollowOptions follow = {};
};

/// The frames of a stream as they come, for a range-based for. A frame that the loop is shown is
/// valid until the next. The range ends when no frame comes in time, when the stream is gone or has
/// been re-created with another format, or when `cancelled` says so; ended() says which. Going on
/// to the next frame blocks and throws as Follower::next() does. For one thread.
template <Element T>
class Frames {
 public:
  /// Throws Error: mismatch (the elements are of another type), claimed (the semaphore).
  explicit Frames(const Stream& stream, FramesOptions options = {})
      : options_(std::move(options)),
        frame_(options_.follow.whole_array ? stream.format().shape : stream.format().frame_shape()),
        follower_((detail::require_type(stream, *data_type_of<T>()), stream),
                  std::move(options_.follow)) {}

  class Iterator {
   public:
    // NOLINTBEGIN(readability-identifier-naming): the names that ranges ask for
    using iterator_concept = std::input_iterator_tag;
    using value_type = Frame<T>;
    using difference_type = std::ptrdiff_t;
    // NOLINTEND(readability-identifier-naming)
    explicit Iterator(Frames& frames) noexcept : frames_(&frames) {}
    const Frame<T>& operator*() const noexcept { return frames_->frame_; }
    const Frame<T>* operator->() const noexcept { return &frames_->frame_; }
    Iterator& operator++() {
      frames_->take();
      return *this;
    }
    void operator++(int) { frames_->take(); }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
      return iterator.frames_->ended() != Arrival::arrived;
    }

   private:
    Frames* frames_;
  };
  /// Waits for the first frame.
  [[nodiscard]] Iterator begin() {
    take();
    return Iterator(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// Why the range ended; `arrived` while it has not.
  [[nodiscard]] Arrival ended() const noexcept { return ended_; }
  [[nodiscard]] const Follower& follower() const noexcept { return follower_; }
  [[nodiscard]] const Stream& stream() const noexcept { return follower_.stream(); }

 private:
  void take() {
    ended_ = follower_.next(
        options_.pick, deadline_after(options_.timeout),
        [this](std::span<const std::byte> pixels) {
          std::copy(pixels.begin(), pixels.end(), frame_.bytes().begin());
        },
        frame_.taken_);
  }
  FramesOptions options_;
  Frame<T> frame_;
  Follower follower_;
  Arrival ended_ = Arrival::arrived;
};

/// The frames of the stream that a reference names, from the next one on:
/// `for (const auto& frame : shmim::frames<float>("cam", {.timeout = 2s}))`.
template <Element T>
[[nodiscard]] Frames<T> frames(std::string_view reference, FramesOptions options = {}) {
  return Frames<T>(open(reference), std::move(options));
}

/// What a stream is made with that is not there yet, and what comes with each frame.
struct WriterOptions {
  std::uint32_t circular_buffer = 0;  ///< frames; 0 none
  std::uint16_t keywords = 10;        ///< slots
  PublishOptions publish = {};
};

/// Writes frames of `T` to a stream. See Publisher for what it owes to other writers and does for
/// them. For one thread.
template <Element T>
class Writer {
 public:
  /// Throws Error (mismatch) if the stream's elements are of another type, and as Publisher does.
  explicit Writer(const Stream& stream, PublishOptions options = {})
      : publisher_((detail::require_type(stream, *data_type_of<T>()), stream), std::move(options)) {
  }
  /// The stream that a reference names; see open().
  [[nodiscard]] static Writer open(std::string_view reference, PublishOptions options = {}) {
    return Writer(shmim::open(reference), std::move(options));
  }
  /// The stream that a reference names if it has this type and shape, or a new one if there is
  /// none. Throws Error (mismatch, saying in what) if it has another type, shape or circular
  /// buffer.
  [[nodiscard]] static Writer open_or_create(std::string_view reference, const Shape& shape,
                                             WriterOptions options = {}) {
    Format format;
    format.type = *data_type_of<T>();
    format.shape = shape;
    format.circular_buffer = options.circular_buffer;
    format.keywords = options.keywords;
    return Writer(detail::open_or_create(reference, format, default_search_path()),
                  std::move(options.publish));
  }

  [[nodiscard]] const Stream& stream() const noexcept { return publisher_.stream(); }
  [[nodiscard]] Keywords keywords() const noexcept { return stream().keywords(); }
  /// Shape of the pixels that write() takes.
  [[nodiscard]] Shape shape() const { return publisher_.frame_shape(); }
  /// Publishes a frame and gives its cnt0. Blocks and throws as Publisher::publish() does; pixels
  /// that are not as many as shape() says are an Error (usage).
  std::uint64_t write(std::span<const T> pixels) {
    publisher_.set_trigger(std::nullopt);
    return publish(pixels);
  }
  /// Publishes a frame that `trigger` caused, which its trace tells.
  std::uint64_t write(std::span<const T> pixels, Trigger trigger) {
    publisher_.set_trigger(std::move(trigger));
    return publish(pixels);
  }

 private:
  std::uint64_t publish(std::span<const T> pixels);
  Publisher publisher_;
};

template <Element T>
std::uint64_t Writer<T>::publish(std::span<const T> pixels) {
  detail::require_count(publisher_, pixels.size());
  return publisher_.publish(std::as_bytes(pixels));
}

}  // namespace shmim
