#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shmim::tools {

/// Headers and data of FITS fill blocks of so many bytes.
inline constexpr std::size_t fits_block_bytes = 2880;

/// True where the header ends in this block.
[[nodiscard]] bool has_end_card(std::string_view block) noexcept;

/// Bytes of the data of an HDU with that header, filling apart; nullopt where the header does not
/// say, or more than there can be.
[[nodiscard]] std::optional<std::uint64_t> hdu_data_bytes(std::string_view header);

/// How many frames the data of an image is, each with these axes: as long as its last axis, of
/// which it has one more. nullopt where it is no such image.
[[nodiscard]] std::optional<std::uint32_t> frames_of_cube(std::string_view header,
                                                          std::span<const std::uint32_t> frame);
/// The header of an image like it, of so many of these frames.
[[nodiscard]] std::string with_frames(std::string header, std::size_t frame_axes,
                                      std::uint32_t frames);

/// True where the HDU may hold an image: one with axes, or one that is compressed in a table.
[[nodiscard]] bool may_hold_image(std::string_view header) noexcept;

}  // namespace shmim::tools
