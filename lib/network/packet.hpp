#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <zmq.hpp>

#include "shmim/element.hpp"
#include "shmim/format.hpp"
#include "shmim/network.hpp"

namespace shmim::network {

/// Those by which frames are packed.
inline constexpr std::array codecs{Compression::lz4, Compression::zstd};
/// Where what is of a codec stands, in an array for all of them.
constexpr std::size_t index_of(Compression codec) noexcept {
  return codec == Compression::lz4 ? 0 : 1;
}

/// A frame that is ready to be sent, to any number of receivers.
struct Packet {
  std::uint64_t number = 0;  ///< among those that were taken, from 1 on
  std::uint64_t cnt0 = 0;
  std::shared_ptr<const Format> format;  ///< of the stream that it is of
  DataType type = DataType::uint8;
  // What ZeroMQ copies it may alter: whether others have it too.
  mutable zmq::message_t head;
  mutable zmq::message_t pixels;
  /// The pixels by each codec, once that was done; of no bytes where it makes them no fewer.
  mutable std::array<std::optional<zmq::message_t>, codecs.size()> packed;

  [[nodiscard]] std::optional<zmq::message_t>& packed_by(Compression codec) const {
    return packed.at(index_of(codec));
  }
  /// In all the forms that there are of its pixels.
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t bytes = pixels.size();
    for (const auto& form : packed) {
      bytes += form ? form->size() : 0;
    }
    return bytes;
  }
};

}  // namespace shmim::network
