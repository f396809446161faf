#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace shmim::tools {

/// Headers and data of FITS fill blocks of so many bytes.
inline constexpr std::size_t fits_block_bytes = 2880;

/// True where the header ends in this block.
[[nodiscard]] bool has_end_card(std::string_view block) noexcept;

/// Bytes of the data of an HDU with that header, filling apart; nullopt where the header does not
/// say, or more than there can be.
[[nodiscard]] std::optional<std::uint64_t> hdu_data_bytes(std::string_view header);

/// True where the HDU may hold an image: one with axes, or one that is compressed in a table.
[[nodiscard]] bool may_hold_image(std::string_view header) noexcept;

}  // namespace shmim::tools
